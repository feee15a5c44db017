import type { Cache, CacheEvents, Entry, HitWatcher } from '@flow-cache/core'
import { type Counting, type CountName, zero } from './counts.js'
import { Histogram } from './histogram.js'
import { keyHash } from './key-hash.js'
import type { Settings } from './options.js'
import { ReuseDistances } from './reuse-distances.js'
import { Sampler } from './sampler.js'
import { TopKeys } from './top-keys.js'

/** Where namespaces are counted for which there is no room of their own. */
const otherNamespaces = '(other)'

/** A hit or a load that was timed. */
export interface Timed {
  readonly cache: string
  readonly kind: 'hit' | 'load'
  /** Of a hit: the tier that had it. */
  readonly tier?: string
  /** Of a load: whether it failed. */
  readonly failed?: boolean
  readonly ms: number
}

/**
 * Counts what one cache does.
 *
 * Hits come by `hit`, and everything there is on the way of each: a counter of the namespace, one of the tier,
 * one look whether the key is followed, and two countdowns. All else comes by events.
 */
export class Recorder implements HitWatcher {
  readonly name: string
  readonly cache: Cache
  readonly namespaces: Map<string, Counting> = new Map()
  readonly tiers: readonly string[]
  /** Hits by tier. */
  readonly tierHits: number[]
  /** The times of hits by tier. */
  readonly tierTimes: readonly Histogram[]
  readonly hitTimes: Histogram = new Histogram()
  readonly loadTimes: Histogram = new Histogram()
  readonly keys: TopKeys
  readonly distances: ReuseDistances | undefined
  errors = 0
  circuit: CacheEvents['circuit']['state'] = 'closed'

  readonly #settings: Settings
  readonly #told: (timed: Timed) => void
  readonly #seed: number
  readonly #stops: readonly (() => void)[]
  readonly #timing: Sampler
  readonly #looking: Sampler
  #namespace = ''
  #counts: Counting

  constructor(name: string, cache: Cache, settings: Settings, told: (timed: Timed) => void) {
    this.name = name
    this.cache = cache
    this.tiers = cache.tiers
    this.tierHits = this.tiers.map(() => 0)
    this.tierTimes = this.tiers.map(() => new Histogram())
    this.keys = new TopKeys(settings.topKeys)
    this.distances = settings.curve ? new ReuseDistances(settings.clock) : undefined
    this.#settings = settings
    this.#told = told
    const { sample, clock, random } = settings
    this.#timing = new Sampler(sample, clock, random)
    // Every read while they are few: a sample of a hundred reads tells nobody anything.
    this.#looking = new Sampler(1, clock, random, sample > 1)
    this.#seed = Math.floor(settings.random() * 2 ** 32)
    this.#counts = this.#open('')
    this.#stops = [cache.watch({ hits: this }), ...this.#listen()]
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  due(): boolean {
    return this.#timing.next()
  }

  hit(key: string, namespace: string, entry: Entry, began: number): void {
    if (namespace !== this.#namespace) this.#enter(namespace)
    this.#counts.hits++
    this.#counts.savedMs += entry.loadMs
    this.tierHits[entry.tier]!++
    const { distances } = this
    if (distances !== undefined) {
      const followed = distances.here.get(key)
      if (followed !== undefined) distances.read(followed)
    }
    if (this.#looking.next()) this.#sampled(key, namespace)
    if (began !== 0) this.#timed(entry.tier, began)
  }

  /** How many reads one of the top keys' stands for, at most. */
  get sample(): number {
    return this.#looking.most
  }

  /** Reads so far. */
  get reads(): number {
    let reads = 0
    for (const { hits, staleHits, misses } of this.namespaces.values()) reads += hits + staleHits + misses
    return reads
  }

  #listen(): (() => void)[] {
    const { cache } = this
    const counted = (name: CountName) => (event: { readonly namespace: string }) => {
      this.#of(event.namespace)[name]++
    }
    return [
      cache.on('miss', (event) => this.#read(event, 'misses')),
      cache.on('staleHit', (event) => this.#read(event, 'staleHits')),
      cache.on('load', (event) => this.#loaded(event)),
      cache.on('absent', (event) => this.#loaded(event, 'absent')),
      cache.on('loadError', (event) => this.#loaded(event, 'loadErrors')),
      cache.on('fenced', counted('fenced')),
      cache.on('set', (event) => this.#wrote(event)),
      cache.on('delete', ({ key, namespace }) => {
        this.#of(namespace).deletes++
        this.distances?.forget(key)
      }),
      cache.on('expire', counted('expires')),
      cache.on('evict', counted('evictions')),
      cache.on('poisoned', counted('poisoned')),
      cache.on('error', () => this.errors++),
      cache.on('circuit', ({ state }) => {
        this.circuit = state
      }),
    ]
  }

  /** A read without a fresh answer. */
  #read({ key, namespace, joined }: CacheEvents['miss'], name: 'misses' | 'staleHits'): void {
    const counts = this.#of(namespace)
    counts[name]++
    if (joined) counts.coalesced++
    const followed = this.distances?.here.get(key)
    if (followed === undefined) this.#offer(key, namespace, true)
    else this.distances?.read(followed)
    if (this.#looking.next()) this.#sampled(key, namespace)
  }

  #loaded({ namespace, ms, background }: CacheEvents['load'], name?: 'absent' | 'loadErrors'): void {
    const counts = this.#of(namespace)
    counts.loads++
    if (name !== undefined) counts[name]++
    if (background) counts.background++
    this.loadTimes.record(ms)
    this.#told({ cache: this.name, kind: 'load', failed: name === 'loadErrors', ms })
  }

  #wrote({ key, namespace }: CacheEvents['set']): void {
    this.#of(namespace).sets++
    const followed = this.distances?.here.get(key)
    if (followed === undefined) this.#offer(key, namespace, false)
    else this.distances?.write(followed)
  }

  #sampled(key: string, namespace: string): void {
    if (this.#settings.topKeys > 0) this.keys.add(key, namespace, this.#looking.every)
    // Another process, or a time before this one's, has filled it: there never was a miss.
    if (this.distances?.here.has(key) === false) this.#offer(key, namespace, true)
  }

  #timed(tier: number, began: number): void {
    const ms = this.#settings.clock.now() - began
    this.hitTimes.record(ms)
    this.tierTimes[tier]!.record(ms)
    this.#told({ cache: this.name, kind: 'hit', tier: this.tiers[tier]!, ms })
  }

  #offer(key: string, namespace: string, isRead: boolean): void {
    this.distances?.offer(key, keyHash(key, namespace, this.#seed), isRead)
  }

  #of(namespace: string): Counting {
    if (namespace !== this.#namespace) this.#enter(namespace)
    return this.#counts
  }

  #enter(namespace: string): void {
    this.#counts = this.namespaces.get(namespace) ?? this.#open(namespace)
    this.#namespace = namespace
    this.distances?.enter(namespace)
  }

  #open(namespace: string): Counting {
    const name = this.namespaces.size < this.#settings.namespaces ? namespace : otherNamespaces
    let counts = this.namespaces.get(name)
    if (counts === undefined) this.namespaces.set(name, (counts = zero()))
    return counts
  }
}
