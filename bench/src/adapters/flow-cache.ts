import type { Cache, GetOrSetOptions, LoadContext } from '@flow-cache/core'
import { InMemoryCache, SimpleCache } from '@flow-cache/memory'
import { type Contestant, type Setup, type Subject, ttl } from '../contestant.js'

const packages = ['@flow-cache/core', '@flow-cache/memory', 'lru-cache']

/** A way to read from a cache. */
type Reader = (cache: Cache, setup: Setup) => Subject['read']

function contestant(label: string, reader: Reader, options?: () => GetOrSetOptions): Contestant {
  return {
    label,
    packages,
    open(setup) {
      const cache = new InMemoryCache({ maxEntries: setup.capacity, ttl })
      return {
        read: reader(cache, setup),
        get: (key) => cache.get(key),
        set:
          options === undefined
            ? (key, value) => cache.set(key, value)
            : (key, value) => cache.set(key, value, options()),
        close: () => cache.close(),
      }
    },
  }
}

/** The cache's defaults, and a loader that stands ready. */
const reading: Reader = (cache, { load }) => {
  const loader = ({ key }: LoadContext): Promise<unknown> => load(key)
  return (key) => cache.getOrSet(key, loader)
}

export const plain = contestant('**flow-cache**', reading)

/** A new function for each call, as most code has it. */
export const withClosure = contestant(
  '**flow-cache**, closure per call',
  (cache, { load }) =>
    (key) =>
      cache.getOrSet(key, () => load(key)),
)

/** A new function and new options for each call, and entries that carry a tag. */
export const withOptions = contestant(
  '**flow-cache**, closure and `{ ttl, tags }` per call',
  (cache, { load }) =>
    (key) =>
      cache.getOrSet(key, () => load(key), { ttl: '5m', tags: ['users'] }),
  () => ({ ttl: '5m', tags: ['users'] }),
)

/** The same from ten places in a program, each of which gives other options. */
export const withManyOptions = contestant(
  '**flow-cache**, ten different sets of options',
  (cache, { load }) => {
    const sets: readonly (() => GetOrSetOptions)[] = [
      () => ({ ttl }),
      () => ({ tags: ['users'] }),
      () => ({ ttl: '5m', tags: ['users'] }),
      () => ({ ttl: '5m', grace: '1h' }),
      () => ({ grace: '1h', ttl: '5m' }),
      () => ({ ttl, jitter: 0.1 }),
      () => ({ ttl, jitter: 0.1, tags: ['users'] }),
      () => ({ maxTtl: '1h' }),
      () => ({ ttl, errorTtl: '1s' }),
      () => ({ negativeTtl: '1s', ttl }),
    ]
    let at = 0
    return (key) => {
      at = at + 1 === sets.length ? 0 : at + 1
      return cache.getOrSet(key, () => load(key), sets[at]!())
    }
  },
)

/** A namespace: its name becomes part of every key. */
export const inNamespace = contestant('**flow-cache**, in a namespace', (cache, setup) =>
  reading(cache.namespace('shop'), setup),
)

/** The synchronous one. */
export const simple: Contestant = {
  label: '**flow-cache**, `SimpleCache`',
  packages,
  open({ capacity, load }: Setup) {
    const cache = new SimpleCache({ maxSize: capacity, ttl })
    const fill = async (key: string): Promise<unknown> => {
      const value = await load(key)
      cache.set(key, value)
      return value
    }
    return {
      read: (key) => cache.get(key) ?? fill(key),
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
    }
  },
}
