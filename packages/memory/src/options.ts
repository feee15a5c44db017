import type { Clock, Duration, Random } from '@flow-cache/core'
import { estimateSize } from './estimate-size.js'

/** Which entry goes when room is needed; see {@link MemoryStoreOptions.policy}. */
export type Policy = 'lru' | 'adaptive'

const policies: readonly unknown[] = ['lru', 'adaptive'] satisfies readonly Policy[]

/** What {@link memoryStore} takes. */
export interface MemoryStoreOptions {
  /**
   * How many entries it holds at most: a whole number up to 8,388,608. With `policy: 'lru'` the lists for all of them
   * are made at once, 24 bytes an entry. Default: 10,000, or no bound of its own where there is `maxBytes`.
   */
  readonly maxEntries?: number | undefined
  /** How many bytes its entries take at most, as `sizeOf` counts them: a whole number. Default: no such bound. */
  readonly maxBytes?: number | undefined
  /**
   * What an entry takes of `maxBytes`. At least 1 is counted; `Infinity` keeps it out. Default: an estimate for plain
   * values and all that is kept around them. It looks at some 4,000 parts of a value; a long list is judged by some
   * of its parts, and what lies deep in a large tree is not seen.
   */
  readonly sizeOf?: ((value: unknown, key: string) => number) | undefined
  /**
   * Which entry goes when room is needed.
   *
   * - `'adaptive'` (default): the one that promises the fewest hits for its room, by how often and how long ago it was
   *   used and what became of others like it. More hits where keys differ in how often they are asked for, and under
   *   scans and loops; it remembers keys that went, some 25 bytes more an entry in all. With `maxBytes`, a new value that
   *   would push out several which promise more is not kept.
   * - `'lru'`: the one used longest ago, always.
   */
  readonly policy?: Policy | undefined
  /** Where time comes from. Default: the platform's clock. */
  readonly clock?: Clock | undefined
  /** Where chance comes from; `'adaptive'` draws what it tells keys apart by. Default: the platform's. */
  readonly random?: Random | undefined
  /**
   * How long after one search for expired entries the next begins. Such entries are never answered; this gives their
   * space back. Default: `'30s'`. `Infinity`: no search, and no timer.
   */
  readonly sweepInterval?: Duration | undefined
}

/** The names of {@link MemoryStoreOptions}. */
export const storeOptionNames: readonly string[] = [
  'maxEntries',
  'maxBytes',
  'sizeOf',
  'policy',
  'clock',
  'random',
  'sweepInterval',
] satisfies readonly (keyof MemoryStoreOptions)[]

/**
 * The most entries there can be. A `Map` of V8 has room for twice as many, and with much more than this it fails when
 * entries come and go.
 */
export const mostEntries: number = 2 ** 23

/** How many entries a store holds at most where no bound is given. */
const defaultEntries = 10_000

/** What bounds a store. One of the two numbers is finite. */
export interface Bounds {
  readonly maxEntries: number
  readonly maxBytes: number
  /** There if bytes are counted. */
  readonly sizeOf: ((value: unknown, key: string) => number) | undefined
}

/** The bounds that options ask for. Contradictions and bad numbers are refused. */
export function boundsOf(options: MemoryStoreOptions): Bounds {
  const { maxBytes = Infinity, maxEntries = maxBytes === Infinity ? defaultEntries : Infinity } = options
  const { sizeOf = estimateSize } = options
  if (typeof sizeOf !== 'function') throw new TypeError(`sizeOf must be a function, got ${show(sizeOf)}`)
  checkCount(maxBytes, 'maxBytes', Number.MAX_SAFE_INTEGER)
  checkCount(maxEntries, 'maxEntries', mostEntries)
  if (maxBytes < Infinity) return { maxEntries, maxBytes, sizeOf }
  if (options.sizeOf !== undefined) throw new TypeError('sizeOf needs a finite maxBytes')
  if (maxEntries === Infinity) throw new RangeError('maxEntries or maxBytes must be finite')
  return { maxEntries, maxBytes, sizeOf: undefined }
}

/** The policy that options ask for. */
export function policyOf({ policy = 'adaptive' }: MemoryStoreOptions): Policy {
  if (policies.includes(policy)) return policy
  throw new TypeError(`policy must be 'lru' or 'adaptive', got ${show(policy)}`)
}

/** A whole number from 1 to `most`, or `Infinity`. */
export function checkCount(value: number, name: string, most: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${show(value)}`)
  if (value === Infinity || (Number.isInteger(value) && value >= 1 && value <= most)) return value
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, got ${value}`)
}

/** Refuses options by names that nobody knows. */
export function checkNames(options: object, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`the options of ${where} must be an object, got ${show(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new TypeError(`unknown option '${name}' in ${where}; known are ${known.join(', ')}`)
  }
}

/** A clock, or a `TypeError`. */
export function checkClock(clock: Clock): Clock {
  if (typeof clock?.now === 'function') return clock
  throw new TypeError(`clock.now must be a function, got ${show(clock?.now)}`)
}

/** A source of chance, or a `TypeError`. */
export function checkRandom(random: Random): Random {
  if (typeof random === 'function') return random
  throw new TypeError(`random must be a function, got ${show(random)}`)
}

/** A value as a message can show it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
