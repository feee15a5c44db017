/*
 * Frameworks answer with instances of their own classes: messages, commands. Stores keep plain data, and a clone
 * that drops a class in silence would change what a hit is. So instances of a closed list are written as tagged
 * plain data and made anew from it; whatever is not on the list, and is no plain data, is an error.
 */
import { CacheError } from '@flow-cache/core'

/** A class of a framework whose instances can be written as plain data and made from it again. */
export interface Shape {
  /** Stands in what is stored. */
  readonly name: string
  test(value: object): boolean
  /** What an instance is made of. */
  fields(value: object): Readonly<Record<string, unknown>>
  make(fields: Record<string, unknown>): unknown
}

const tag = '$shape'
/** Names in data that look like the tag get a second `$`, so that no data is taken for an instance. */
const looksLikeTag = /^\$+shape$/

/** The value, with every instance of a shape as plain data. Dates, maps, sets and bytes stay what they are. */
export function toPlain(value: unknown, shapes: readonly Shape[]): unknown {
  return write(value, '$', shapes, new Set())
}

function write(value: unknown, path: string, shapes: readonly Shape[], around: Set<object>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw refusal(path, `a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return value
  if (around.has(value)) throw refusal(path, 'a circular reference')
  around.add(value)
  const inner = (part: unknown, name: string): unknown => write(part, `${path}.${name}`, shapes, around)
  try {
    if (Array.isArray(value)) return value.map((part, i) => inner(part, String(i)))
    const shape = shapes.find((each) => each.test(value))
    if (shape !== undefined) return { [tag]: shape.name, fields: inner(shape.fields(value), shape.name) }
    if (value instanceof Map)
      return new Map([...value].map(([key, part]) => [inner(key, 'key'), inner(part, 'value')]))
    if (value instanceof Set) return new Set([...value].map((part) => inner(part, 'item')))
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value
    if (value instanceof Date || value instanceof RegExp) return value
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype !== null && prototype !== Object.prototype && prototype.constructor?.name !== 'Object')
      throw refusal(path, `an instance of ${prototype.constructor?.name || 'a class'}`)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, part]) => part !== undefined)
        .map(([name, part]) => [looksLikeTag.test(name) ? `$${name}` : name, inner(part, name)]),
    )
  } finally {
    around.delete(value)
  }
}

/** The value that {@link toPlain} wrote, made anew: it shares nothing with what it was written from. */
export function fromPlain(value: unknown, shapes: readonly Shape[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  const inner = (part: unknown): unknown => fromPlain(part, shapes)
  if (Array.isArray(value)) return value.map(inner)
  if (value instanceof Map) return new Map([...value].map(([key, part]) => [inner(key), inner(part)]))
  if (value instanceof Set) return new Set([...value].map(inner))
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype !== null && prototype.constructor?.name !== 'Object') return structuredClone(value)
  const fields = Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name !== tag && looksLikeTag.test(name) ? name.slice(1) : name,
      inner(part),
    ]),
  )
  if (!(tag in value)) return fields
  const shape = shapes.find(({ name }) => name === (value as Record<string, unknown>)[tag])
  if (shape === undefined) throw refusal('$', `of the unknown shape '${String(fields[tag])}'`)
  return shape.make(fields['fields'] as Record<string, unknown>)
}

/** The plain value with some strings in it replaced, wherever they stand alone. */
export function replaced(value: unknown, by: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'string') return by.has(value) ? by.get(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((part) => replaced(part, by))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, replaced(part, by)]))
}

function refusal(path: string, what: string): CacheError {
  return new CacheError('ERR_VALUE', `${path} is ${what}, which cannot be stored`)
}
