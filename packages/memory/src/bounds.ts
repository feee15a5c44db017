import { estimateSize } from './estimate-size.js'
import type { MemoryStoreOptions } from './memory-store.js'

/**
 * The most entries there can be. A `Map` of V8 has room for twice as many, and with more than this fails when
 * entries come and go.
 */
export const mostEntries: number = 2 ** 23

/** The entries a store or a cache holds at most where nothing is said. */
const defaultEntries = 10_000

/** What bounds a store: one of the two is finite. */
export interface Bounds {
  readonly maxEntries: number
  readonly maxBytes: number
  /** There if bytes count. */
  readonly sizeOf: ((value: unknown, key: string) => number) | undefined
}

/** The bounds that options ask for. Contradictions and bad numbers are refused. */
export function boundsOf({ maxEntries, maxBytes, sizeOf, policy }: MemoryStoreOptions): Bounds {
  if (policy !== undefined && policy !== 'lru') {
    const also = policy === 'adaptive' ? " ('adaptive' is not in this version)" : ''
    throw new TypeError(`policy must be 'lru', got ${shown(policy)}${also}`)
  }
  if (sizeOf !== undefined && typeof sizeOf !== 'function') {
    throw new TypeError(`sizeOf must be a function, got ${shown(sizeOf)}`)
  }
  if (sizeOf !== undefined && maxBytes === undefined) throw new TypeError('sizeOf needs maxBytes')
  const bytes = checkCount(maxBytes ?? Infinity, 'maxBytes', Number.MAX_SAFE_INTEGER)
  const entries = checkCount(maxEntries ?? (maxBytes === undefined ? defaultEntries : Infinity), 'maxEntries', mostEntries)
  if (bytes === Infinity && entries === Infinity) {
    throw new RangeError('maxEntries or maxBytes must be finite')
  }
  return { maxEntries: entries, maxBytes: bytes, sizeOf: bytes === Infinity ? undefined : (sizeOf ?? estimateSize) }
}

/** A whole number from 1 to `most`, or `Infinity`. */
export function checkCount(value: number, name: string, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${shown(value)}`)
  if (value === Infinity || (Number.isInteger(value) && value >= 1 && value <= most)) return value
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, got ${value}`)
}

/** Refuses options by names that nobody knows. */
export function checkNames(options: object, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`the options of ${where} must be an object, got ${shown(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option '${name}' in ${where}; known are ${known.join(', ')}`)
    }
  }
}

/** A value as a message can show it. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`
  return typeof value === 'object' || typeof value === 'function' ? `a ${value === null ? 'null' : typeof value}` : String(value)
}
