/** Refuses what people gave, with a `TypeError` that names it, says what it must be, and shows it. */
export function wrong(name: string, wanted: string, value: unknown): never {
  throw new TypeError(`${name} must be ${wanted}, got ${show(value)}`)
}

/** A function, or a `TypeError`. */
export function checkFunction(value: unknown, name: string): unknown {
  return typeof value === 'function' ? value : wrong(name, 'a function', value)
}

/** A non-empty string, or a `TypeError`. */
export function checkText(value: unknown, name: string): string {
  return typeof value === 'string' && value !== '' ? value : wrong(name, 'a non-empty string', value)
}

/** Values to choose from, as a message can show them. */
export const anyOf = (values: readonly unknown[]): string => values.map(show).join(' or ')

/** A value as a message can show it: short, and never calling its code. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
