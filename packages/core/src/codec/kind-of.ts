import { brands } from './brands.js'

/** The kinds of objects that are data. `'null'` is an object without a prototype. */
export type Kind = 'Object' | 'null' | 'Array' | 'Map' | 'Set' | 'Date' | BinaryKind

/** Bytes, and how they are looked at: `'ArrayBuffer'`, `'Buffer'`, `'DataView'` or the name of a typed array. */
export type BinaryKind = 'ArrayBuffer' | 'Buffer' | 'DataView' | `${string}Array`

/**
 * What kind of data an object is, or `undefined` for an instance of a class, one that extends a built-in one included.
 *
 * A built-in object is told by its brand, which no prototype can feign. The prototype must be the built-in one, of any
 * realm: a test runner's sandbox has its own.
 */
export function kindOf(value: object): Kind | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype) return Array.isArray(value) ? undefined : 'Object'
  const brand = brandOf(value)
  if (prototype === null) return brand === 'Object' ? 'null' : undefined
  if (brand === 'Array' && prototype === Array.prototype) return brand
  if (!Object.hasOwn(prototype, 'constructor')) return undefined
  const { name } = prototype.constructor
  const kind = brand === 'Uint8Array' && name === 'Buffer' ? name : brand
  return name === kind && heightOf(prototype) === heightOfKind(kind) ? kind : undefined
}

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!

function brandOf(value: object): Kind | undefined {
  if (Array.isArray(value)) return 'Array'
  if (ArrayBuffer.isView(value)) return (typedArrayTag.call(value) as BinaryKind | undefined) ?? 'DataView'
  if (brands.isMap(value)) return 'Map'
  if (brands.isSet(value)) return 'Set'
  if (brands.isDate(value)) return 'Date'
  if (brands.isArrayBuffer(value)) return 'ArrayBuffer'
  return typeof value === 'function' ? undefined : 'Object'
}

/** How many prototypes there are from this one on. */
function heightOf(prototype: object): number {
  let height = 0
  for (let at: object | null = prototype; at !== null && height < 5; height++) {
    at = Object.getPrototypeOf(at) as object | null
  }
  return height
}

function heightOfKind(kind: Kind): number {
  if (kind === 'Object') return 1
  if (kind === 'Buffer') return 4
  return kind !== 'Array' && kind.endsWith('Array') ? 3 : 2
}
