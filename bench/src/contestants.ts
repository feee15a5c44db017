import type { Contestant } from './contestant.js'

/** Everyone who can be measured. Loaded on demand, so that a process holds nothing but what it measures. */
const contestants = {
  'lru-cache': async () => (await import('./adapters/lru-cache.js')).fetching,
  'lru-cache-get': async () => (await import('./adapters/lru-cache.js')).getting,
  'flow-cache': async () => (await import('./adapters/flow-cache.js')).plain,
  'flow-cache-closure': async () => (await import('./adapters/flow-cache.js')).withClosure,
  'flow-cache-options': async () => (await import('./adapters/flow-cache.js')).withOptions,
  'flow-cache-many-options': async () => (await import('./adapters/flow-cache.js')).withManyOptions,
  'flow-cache-namespace': async () => (await import('./adapters/flow-cache.js')).inNamespace,
  'flow-cache-simple': async () => (await import('./adapters/flow-cache.js')).simple,
  'layered-loader-14': async () => (await import('./adapters/layered-loader.js')).version14,
  'layered-loader-16': async () => (await import('./adapters/layered-loader.js')).version16,
  'async-cache-dedupe': async () => (await import('./adapters/async-cache-dedupe.js')).asyncCacheDedupe,
  cachified: async () => (await import('./adapters/cachified.js')).cachified,
  cacheable: async () => (await import('./adapters/cacheable.js')).cacheable,
  'cache-manager': async () => (await import('./adapters/cache-manager.js')).cacheManager,
  bentocache: async () => (await import('./adapters/bentocache.js')).bentocache,
} satisfies Record<string, () => Promise<Contestant>>

export type ContestantName = keyof typeof contestants

export const contestantNames = Object.keys(contestants) as readonly ContestantName[]

export function contestant(name: ContestantName): Promise<Contestant> {
  return contestants[name]()
}

/** Who takes part in a question: all but those without the calls it is about, and whoever was not asked for. */
export function among(all: {
  readonly reference: ContestantName
  readonly without: readonly ContestantName[]
}): (wanted: (name: ContestantName) => boolean) => readonly ContestantName[] {
  const rest = contestantNames.filter((name) => !all.without.includes(name))
  return (wanted) => rest.filter((name) => name === all.reference || wanted(name))
}
