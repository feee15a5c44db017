import type { Cache, Clock, LoadingOptions } from '@flow-cache/core'

/** The options of a strategy that are its own; what is left are loading options. */
interface Parts {
  readonly cache: Cache
  readonly origin: object
}

/**
 * Looks at what a strategy is made with: a cache, an origin that has the methods, loading options that `core` knows.
 * Answers with the loading options alone, or `undefined` if there are none.
 *
 * A missing method is a `TypeError` that names it; so is an option nobody knows.
 */
export function checkParts(
  strategy: string,
  options: Parts,
  methods: readonly string[],
): LoadingOptions | undefined {
  checkCache(strategy, options)
  const { cache, origin, ...loading } = options
  for (const method of methods) {
    if (typeof (origin as Record<string, unknown> | undefined)?.[method] !== 'function') {
      throw new TypeError(`${strategy} needs an origin with the method ${method}`)
    }
  }
  return checkLoading(cache, loading)
}

/** A cache among the options, or a `TypeError`. */
export function checkCache(strategy: string, options: { readonly cache: Cache }): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${strategy} takes { cache, … }`)
  if (typeof options.cache?.getOrSet !== 'function') {
    throw new TypeError(`cache must be a Cache: ${strategy} stands on one`)
  }
}

/** Loading options as the cache will read them, or `undefined` if there are none. */
function checkLoading(cache: Cache, loading: LoadingOptions): LoadingOptions | undefined {
  if (Object.values(loading).every((value) => value === undefined)) return undefined
  // A namespace looks at its defaults, and costs nothing.
  cache.namespace('options', loading)
  return loading
}

/** A whole number from `min`, or `Infinity`; otherwise a `TypeError` or a `RangeError` that names the option. */
export function checkCount(value: number, name: string, min = 1): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!(value >= min) || (value !== Infinity && !Number.isInteger(value))) {
    throw new RangeError(`${name} must be a whole number from ${min}, got ${value}`)
  }
  return value
}

/** A number between two others, both included; otherwise a `TypeError` or a `RangeError` that names the option. */
export function checkShare(value: number, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!(value >= min && value <= max)) {
    throw new RangeError(`${name} must be from ${min} to ${max}, got ${value}`)
  }
  return value
}

/** A key that a cache can have, or a `TypeError`: an origin is not asked to write any other. */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || key === '') throw new TypeError('a key must be a non-empty string')
}

/** Keys as a list; a string, which would be taken for its letters, is a `TypeError`. */
export function checkKeys(keys: Iterable<string>): string[] {
  if (
    typeof keys === 'string' ||
    typeof (keys as Iterable<string> | undefined)?.[Symbol.iterator] !== 'function'
  ) {
    throw new TypeError(`keys must be an iterable of keys, got ${typeof keys}`)
  }
  return [...keys]
}

/** An object of options with no other names, or a `TypeError`. */
export function checkNames(given: object, names: readonly string[], whose: string): void {
  if (typeof given !== 'object' || given === null) throw new TypeError(`${whose} takes an object of options`)
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw new TypeError(`${whose}: unknown option '${name}'; it takes ${names.join(', ')}`)
    }
  }
}

/** An object with the methods, or a `TypeError` that names those it lacks. */
export function checkMethods(given: unknown, name: string, wanted: readonly string[]): void {
  const missing = wanted.filter(
    (method) => typeof (given as Record<string, unknown> | undefined | null)?.[method] !== 'function',
  )
  if (missing.length > 0) throw new TypeError(`${name} must have the methods ${missing.join(', ')}`)
}

/** A clock, or a `TypeError`. */
export const checkClock = (clock: Clock): void =>
  checkMethods(clock, 'clock', ['now', 'setTimer', 'clearTimer'])

/** What a function answered that is to say at once, or a `TypeError` where it promised to. */
export function checkAtOnce<T>(answer: T, name: string): T {
  if (!(answer instanceof Promise)) return answer
  // Nobody waits for it.
  answer.catch(() => {})
  throw new TypeError(`${name} must answer at once, and not with a promise`)
}
