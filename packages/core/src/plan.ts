import { anyOf, checkFunction, wrong } from './checks.js'
import { type Clock, systemClock } from './clock.js'
import { toMs, ttlOf, type Volatility } from './duration.js'
import type { CacheOptions, GetOrSetOptions, Timeouts } from './options.js'
import { type Random, systemRandom } from './random.js'

/** The timeouts of a call, in milliseconds. `store` is the cache's. */
export type TimeoutPlan = Readonly<Record<keyof Timeouts | 'store', number>>

/** The options of a call with every word resolved: durations in milliseconds, defaults filled in. */
export interface Plan extends Omit<GetOrSetOptions, 'volatility'> {
  readonly ttl: number
  readonly grace: number
  readonly jitter: number
  readonly maxTtl: number
  readonly negativeTtl: number | undefined
  readonly errorTtl: number | undefined
  readonly tags: readonly string[]
  readonly copy: 'share' | 'clone' | 'freeze'
  readonly timeouts: TimeoutPlan
}

/** What belongs to a cache as a whole, and what it gives its calls. */
export interface Settings extends Plan, Pick<CacheOptions, 'store' | 'onStoreError' | 'asyncContext'> {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly circuit: Readonly<Record<'failures' | 'cooldown', number>>
  readonly maxLoads: number
  readonly maxTags: number
  readonly leaseTerm: number
}

/** What holds where nothing else is said. */
const defaults: Omit<Settings, 'store'> = Object.freeze({
  ttl: 5 * 60_000,
  grace: 0,
  jitter: 0,
  maxTtl: Infinity,
  negativeTtl: undefined,
  errorTtl: undefined,
  tags: [],
  copy: 'share',
  timeouts: { soft: Infinity, hard: Infinity, load: 5 * 60_000, store: 200 },
  name: 'cache',
  clock: systemClock,
  random: systemRandom,
  circuit: { failures: 3, cooldown: 1_000 },
  maxLoads: 100_000,
  maxTags: 100_000,
  leaseTerm: 3_000,
})

/** How long a failed load is not tried again where there is a stale value and `errorTtl` was not given. */
export const defaultErrorTtl = 10_000

/** Looks at one option: its value as the cache uses it, or a `TypeError` or `RangeError` that names it. */
type Check = (value: never, name: string, before: never) => unknown

/** The options that are known at one place, with the check of each. */
type Checks = Readonly<Record<string, Check>>

/** Distinct non-empty strings, or a `TypeError`. */
export function checkTags(tags: unknown, name = 'tags', before: readonly string[] = []): readonly string[] {
  const fits = Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== '')
  return fits
    ? [...new Set([...before, ...(tags as string[])])]
    : wrong(name, 'an array of non-empty strings', tags)
}

const between =
  (min: number, max: number): Check =>
  (value: number, name) => {
    if (typeof value !== 'number') wrong(name, 'a number', value)
    if (!(value >= min && value <= max))
      throw new RangeError(`${name} must be from ${min} to ${max}, got ${value}`)
    return value
  }

const oneOf =
  (...words: readonly unknown[]): Check =>
  (value, name) =>
    words.includes(value) ? value : wrong(name, anyOf(words), value)

/** An object with functions of those names. */
const having =
  (...methods: readonly string[]): Check =>
  (value: object, name) => {
    for (const method of methods)
      checkFunction((value as Record<string, unknown> | undefined)?.[method], `${name}.${method}`)
    return value
  }

const within =
  (checks: Checks): Check =>
  (value: object, name, before: object) =>
    resolve(checks, before, value, name)

const share = between(0, 1)
const count = between(1, Infinity)

/** The options of a call, a namespace and a cache. */
const loadingChecks: Checks = {
  ttl: toMs,
  volatility: (word: Volatility) => ttlOf(word),
  grace: toMs,
  maxTtl: toMs,
  negativeTtl: toMs,
  errorTtl: toMs,
  jitter: share,
  refreshAhead: share,
  beta: between(0, Infinity),
  tags: checkTags,
  version: (value, name) =>
    typeof value === 'string' || Number.isFinite(value) ? value : wrong(name, 'a string or a number', value),
  copy: oneOf('share', 'clone', 'freeze'),
  timeouts: within({ soft: toMs, hard: toMs, load: toMs, store: toMs }),
  schema: (value: { '~standard'?: object }, name) => {
    having('validate')(value?.['~standard'] as never, `${name}['~standard']`, undefined as never)
    return value
  },
  migrate: checkFunction,
  waitUntil: checkFunction,
}

/** The options of a call. */
const callChecks: Checks = {
  ...loadingChecks,
  signal: having('addEventListener'),
  forceRefresh: oneOf(true, false),
  skip: oneOf('read', 'write', 'both'),
}

/** The options of a cache as a whole, which hold its defaults for calls. */
const cacheChecks: Checks = {
  ...loadingChecks,
  name: (value, name) => (typeof value === 'string' ? value : wrong(name, 'a string', value)),
  random: checkFunction,
  clock: having('now'),
  circuit: within({ failures: count, cooldown: toMs }),
  onStoreError: (value, name) =>
    typeof value === 'function' ? value : oneOf('ignore', 'throw')(value, name, undefined as never),
  maxLoads: count,
  maxTags: count,
  leaseTerm: toMs,
  asyncContext: having('getStore'),
  store: having('get', 'set', 'delete', 'clear', 'close'),
}

/** The options any cache takes beside its store's own, for caches that come with a store. */
export const cacheOptionNames: readonly string[] = Object.keys(cacheChecks)

/** The one option that begins alike, or all there are. */
function hint(name: string, known: readonly string[]): string {
  const start = (word: string): string => word.slice(0, 3).toLowerCase()
  const alike = known.filter((other) => start(other) === start(name))
  return alike.length === 1 ? `did you mean '${alike[0]}'?` : `known are ${known.join(', ')}`
}

/** `options` over `base`, each looked at. A name that is not known is a `TypeError`. */
function resolve<T extends object>(checks: Checks, base: T, options: object, where: string): T {
  if (typeof options !== 'object' || options === null) wrong(where, 'an object', options)
  const result = { ...base } as Record<string, unknown>
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(checks, name)) {
      throw new TypeError(`unknown option '${name}' in ${where}; ${hint(name, Object.keys(checks))}`)
    }
    const value = (options as Record<string, unknown>)[name]
    const path = where === 'options' ? name : `${where}.${name}`
    if (value !== undefined) result[name] = checks[name]!(value as never, path, result[name] as never)
  }
  return result as T
}

/** `options` over `base`. Options that contradict each other are refused, naming both. */
export function plan<T extends Plan>(base: T, options: GetOrSetOptions, checks: Checks = callChecks): T {
  const result = resolve(checks, base, options, 'options') as { -readonly [K in keyof Plan]: Plan[K] }
  if (options.volatility !== undefined) {
    exclude(options, 'ttl', 'volatility')
    result.ttl = (result as unknown as { volatility: number }).volatility
  }
  exclude(options, 'refreshAhead', 'beta')
  // The one that is given replaces the other one's default.
  if (options.refreshAhead !== undefined) delete result.beta
  if (options.beta !== undefined) delete result.refreshAhead
  const { soft, hard, load } = result.timeouts
  if (soft < Infinity) inOrder('timeouts.soft', soft, 'timeouts.hard', hard)
  if (hard < Infinity) inOrder('timeouts.hard', hard, 'timeouts.load', load)
  if (options.maxTtl !== undefined && options.ttl !== undefined && result.ttl < Infinity) {
    inOrder('ttl', result.ttl, 'maxTtl', result.maxTtl)
  }
  if (load === 0) throw new RangeError('timeouts.load must not be 0')
  if (result.migrate !== undefined && result.version === undefined) {
    throw new TypeError('migrate needs version: the one it migrates to')
  }
  return result as T
}

/** What a cache is built with, looked at. */
export function build(options: CacheOptions): Settings {
  if (typeof options !== 'object' || options === null) wrong('options', 'an object with a store', options)
  const { store } = options
  cacheChecks['store']!(store as never, 'store', undefined as never)
  const settings = plan({ ...defaults, store }, options, cacheChecks)
  inOrder('timeouts.store', settings.timeouts.store, 'leaseTerm', settings.leaseTerm)
  store.patience?.(settings.timeouts.store)
  return settings
}

function exclude(options: GetOrSetOptions, one: keyof GetOrSetOptions, other: keyof GetOrSetOptions): void {
  if (options[one] !== undefined && options[other] !== undefined) {
    throw new TypeError(`${one} and ${other} contradict each other: give one`)
  }
}

function inOrder(small: string, least: number, large: string, most: number): void {
  if (least > most) throw new RangeError(`${small} (${least} ms) must not exceed ${large} (${most} ms)`)
}
