import { CacheKeyError } from '@flow-cache/core'
import { checkObject, wrong } from './checks.js'
import { ignored } from './ignored.js'

/** Which fields of an input make its key. */
export type Fields = { readonly pick: readonly string[] } | { readonly omit: readonly string[] }

/** Refuses what names no fields. */
export function checkFields(key: unknown): void {
  checkObject(key, 'key')
  const [[how, names] = [], ...more] = Object.entries(key as object) as [string, unknown][]
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string')
  if (more.length > 0 || (how !== 'pick' && how !== 'omit') || !isList)
    wrong('key', '{ pick: […] }, { omit: […] } or a function', key)
  if (how === 'pick' && (names as readonly string[]).length === 0)
    throw new TypeError('key.pick must name a field: all inputs would have one key')
}

/**
 * The fields of an input that its key is made of. What would give one key to inputs that differ is a `CacheKeyError`:
 * a pick that finds nothing, and an omit from what keeps its data elsewhere than in fields.
 */
export function fieldsOf(input: unknown, fields: Fields): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new CacheKeyError('$.input', '$.input is no object to pick fields from: give key as a function')
  return 'pick' in fields ? picked(input, fields.pick) : without(input, fields.omit)
}

/** What a reader of these fields would see, getters of a class included. */
function picked(input: object, names: readonly string[]): unknown {
  const isPlain = isPlainObject(input)
  const values = input as Readonly<Record<string, unknown>>
  const pairs = names.map((name): [string, unknown] => {
    // What a plain object inherits is nobody's data, and what it lacks is `undefined` there.
    if (isPlain) return [name, Object.hasOwn(input, name) ? values[name] : undefined]
    if (name in input) return [name, values[name]]
    throw new CacheKeyError(
      '$.input',
      `$.input is ${kindOf(input)} and has no '${name}', which key.pick names: give key as a function`,
    )
  })
  if (pairs.every(([, value]) => value === undefined))
    throw new CacheKeyError(
      '$.input',
      `$.input has nothing under ${names.map((name) => `'${name}'`).join(', ')}, which key.pick names: ` +
        'all such inputs would have one key',
    )
  return Object.fromEntries(pairs)
}

function without(input: object, names: readonly string[]): unknown {
  if (!isPlainObject(input))
    throw new CacheKeyError(
      '$.input',
      `$.input is ${kindOf(input)}, and not all that it holds are fields: name those that matter with key.pick, ` +
        'or give key as a function',
    )
  return Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)))
}

/** Of an object literal in any realm, of `JSON.parse`, or without a prototype. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  return (
    prototype === null ||
    prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && prototype.constructor?.name === 'Object')
  )
}

const kindOf = (value: object): string => {
  const prototype = Object.getPrototypeOf(value) as object | null
  return `an instance of ${prototype?.constructor?.name || 'a class'}`
}

/** What a function chose as the key. `undefined` is nobody's choice: mostly it is a field that is not there. */
export function chosen(key: unknown, name = 'key'): unknown {
  // A key cannot be made of a promise, and nobody else hears what it rejects with.
  ignored(key)
  if (key !== undefined) return key
  throw new CacheKeyError(
    '$.input',
    `${name} answered with undefined, which would be one key for all: answer with what matters, or with null if nothing does`,
  )
}
