import { toMs, type Duration } from '@flow-cache/core'

/** Refuses what people gave, with a `TypeError` that names it and says what it must be. */
export function wrong(name: string, wanted: string, value: unknown): never {
  const shown = typeof value === 'string' ? `'${value.slice(0, 40)}'` : value === null ? 'null' : typeof value
  throw new TypeError(`${name} must be ${wanted}, got ${shown}`)
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') wrong(name, 'a function', value)
}

/** Refuses those of these options that are there and no function. */
export function checkFunctions<Name extends string>(
  options: { readonly [name in Name]?: unknown },
  names: readonly Name[],
): void {
  for (const name of names) if (options[name] !== undefined) checkFunction(options[name], name)
}

export function checkText(value: unknown, name: string): void {
  if (typeof value !== 'string' || value === '') wrong(name, 'a non-empty string', value)
}

export function checkObject(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) wrong(name, 'an object', value)
}

/** Refuses options nobody knows: a misspelt one would be ignored in silence. */
export function checkNames(options: object, known: readonly string[], where: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option '${name}' in ${where}; known are ${known.join(', ')}`)
    }
  }
}

export function checkOneOf(value: unknown, values: readonly unknown[], name: string): void {
  if (value !== undefined && !values.includes(value)) wrong(name, values.join(' or '), value)
}

export function checkDuration(value: Duration | undefined, name: string): void {
  if (value !== undefined) toMs(value, name)
}
