import { type Clock, type Random, systemClock, systemRandom } from '@flow-cache/core'

/** Options of {@link CacheMetrics}. */
export interface CacheMetricsOptions {
  /**
   * One hit of so many is timed, by chance, and fewer where it would be more than some 20,000 a second. For the top keys
   * every read is counted, up to as many a second. 1: all of both, however many, which is slower. Default: 16. Counts of
   * hits are exact always.
   */
  readonly sample?: number | undefined
  /** For how many keys a cache there is room among those that are read most; 0 for none. Default: 1,000. */
  readonly topKeys?: number | undefined
  /**
   * Whether a sample of the keys is followed, for `hitRatioCurve`. Makes each hit look its key up once more: up to half as
   * long again where nothing else is done, and no more than about 1 % of a processor beside that. Default: `false`.
   */
  readonly curve?: boolean | undefined
  /** How many namespaces of a cache are told apart; further ones count as `'(other)'`. Default: 100. */
  readonly namespaces?: number | undefined
  /** Says what was saved beside time, as `Savings` of `@flow-cache/node` does. */
  readonly savings?: SavingsSource | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
  /** Where randomness comes from. Default: the system's. */
  readonly random?: Random | undefined
}

/** Who says what was saved beside time. */
export interface SavingsSource {
  report(): { readonly savedUsd: number; readonly savedTokens: number }
}

/** Options with their defaults. */
export interface Settings {
  readonly sample: number
  readonly topKeys: number
  readonly curve: boolean
  readonly namespaces: number
  readonly savings: SavingsSource | undefined
  readonly clock: Clock
  readonly random: Random
}

const defaults: Settings = Object.freeze({
  sample: 16,
  topKeys: 1_000,
  curve: false,
  namespaces: 100,
  savings: undefined,
  clock: systemClock,
  random: systemRandom,
})

/** The options with their defaults, or a `TypeError` or a `RangeError` that names the one that is wrong. */
export function settingsOf(options: CacheMetricsOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError("CacheMetrics' options must be an object")
  }
  for (const name of Object.keys(options)) {
    if (!(name in defaults)) {
      throw new TypeError(
        `unknown option '${name}' of CacheMetrics; known are ${Object.keys(defaults).join(', ')}`,
      )
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings: Settings = { ...defaults, ...given }
  checkWhole(settings.sample, 'sample', 1)
  checkWhole(settings.topKeys, 'topKeys', 0)
  checkWhole(settings.namespaces, 'namespaces', 1)
  if (typeof settings.curve !== 'boolean') throw new TypeError('curve must be true or false')
  if (settings.savings !== undefined && typeof settings.savings?.report !== 'function') {
    throw new TypeError('savings must have report(), as Savings of @flow-cache/node has')
  }
  if (typeof settings.clock?.now !== 'function') throw new TypeError('clock must be a Clock')
  if (typeof settings.random !== 'function') throw new TypeError('random must be a function')
  return settings
}

/** A whole number from `least`, or a `TypeError` or a `RangeError`. */
export function checkWhole(value: unknown, name: string, least: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!(Number.isSafeInteger(value) && value >= least)) {
    throw new RangeError(`${name} must be a whole number from ${least}, got ${value}`)
  }
  return value
}
