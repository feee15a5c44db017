/**
 * A value as a text that is the same for equal values only: kinds, `-0`, `NaN` and what is `undefined` inside
 * included. For messages, and to compare by.
 */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value}'`
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : textOfObject(value)
    default:
      return String(value)
  }
}

function textOfObject(value: object): string {
  if (Array.isArray(value)) return `[${Array.from(value as unknown[], textOf).join(',')}]`
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (value instanceof Map) {
    return `Map{${Array.from(value as Map<unknown, unknown>, ([key, one]) => `${textOf(key)}:${textOf(one)}`).join()}}`
  }
  if (value instanceof Set) return `Set{${Array.from(value as Set<unknown>, textOf).join()}}`
  const properties = ArrayBuffer.isView(value)
    ? Array.from(value as Uint8Array, textOf)
    : Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}:${textOf(part)}`)
  const kind = (Object.getPrototypeOf(value) as object | null)?.constructor?.name ?? 'no prototype'
  return `${kind === 'Object' ? '' : kind}{${properties.join(',')}}`
}

/** The same, cut off where it is too long for a message. */
export function words(value: unknown): string {
  const text = textOf(value)
  return text.length <= 80 ? text : `${text.slice(0, 60)}… (${text.length} characters)`
}
