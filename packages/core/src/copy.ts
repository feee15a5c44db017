import { CacheError, pathStep } from './errors.js'
import type { Plan } from './plan.js'

const refuse = (path: string, what: string): never => {
  throw new CacheError(
    'ERR_VALUE',
    `${path} is ${what}, which cannot be copied; use plain data, or copy: 'share'`,
  )
}

/**
 * A deep copy of plain data: objects, arrays, dates, maps, sets, bytes, regular expressions and primitives,
 * shared and circular references kept. Anything else is a `CacheError` with the code `ERR_VALUE` that names the
 * path: a structured clone would drop a class in silence.
 */
export function cloneOf<V>(value: V): V {
  return clone(value, '$', new Map()) as V
}

function clone(value: unknown, path: string, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return refuse(path, `a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  const keep = <T>(copy: T): T => (seen.set(value, copy), copy)
  if (Array.isArray(value)) {
    const copy: unknown[] = keep(new Array(value.length))
    // Holes stay holes.
    value.forEach((part, i) => (copy[i] = clone(part, `${path}[${i}]`, seen)))
    return copy
  }
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype || prototype === null || prototype.constructor?.name === 'Object') {
    const copy: Record<string, unknown> = keep(prototype === null ? Object.create(null) : {})
    for (const key of Object.keys(value)) {
      const part = clone((value as Record<string, unknown>)[key], path + pathStep(key), seen)
      // `__proto__` is a key like others, and not to be assigned to.
      if (key === '__proto__')
        Object.defineProperty(copy, key, {
          value: part,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      else copy[key] = part
    }
    return copy
  }
  if (value instanceof Map) {
    const copy = keep(new Map<unknown, unknown>())
    for (const [key, part] of value) {
      copy.set(
        clone(key, `${path}.keys()`, seen),
        clone(part, `${path}.get(${typeof key === 'object' ? '…' : String(key)})`, seen),
      )
    }
    return copy
  }
  if (value instanceof Set) {
    const copy = keep(new Set<unknown>())
    for (const part of value) copy.add(clone(part, `${path}.values()`, seen))
    return copy
  }
  if (ArrayBuffer.isView(value)) return keep(bytesOf(value))
  if (value instanceof Date || value instanceof RegExp || value instanceof ArrayBuffer)
    return keep(structuredClone(value))
  return refuse(path, `an instance of ${prototype.constructor?.name || 'a class'}`)
}

/** A copy of the bytes in view alone: a `Buffer` is cut from a pool that a structured clone would copy whole. */
function bytesOf(view: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice()
  const Type = view.constructor as unknown as {
    readonly name: string
    from(bytes: Uint8Array): ArrayBufferView
    new (buffer: ArrayBufferLike): ArrayBufferView
  }
  return Type.name === 'Buffer' ? Type.from(bytes) : new Type(bytes.buffer)
}

/** What is deeply frozen already: a frozen object need not have frozen parts. */
const frozen = new WeakSet<object>()

/** The value itself, deeply frozen. Dates, maps, sets and bytes cannot be, and stay as they are. */
export function freezeOf<V>(value: V): V {
  if (typeof value !== 'object' || value === null || frozen.has(value) || ArrayBuffer.isView(value))
    return value
  frozen.add(value)
  Object.freeze(value)
  for (const part of Object.values(value)) freezeOf(part)
  return value
}

/** A value as the cache hands it out, and as it keeps it. */
export function give<V>(value: V, { copy }: Pick<Plan, 'copy'>): V {
  if (copy === 'share') return value
  return copy === 'clone' ? cloneOf(value) : freezeOf(value)
}
