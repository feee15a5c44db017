/** What holds for `ReadThrough` where nothing else is said. */
export const readThroughDefaults: Readonly<Record<'maxBatch' | 'gatherFor', number>> = Object.freeze({
  maxBatch: 1_000,
  gatherFor: 0,
})

/** What holds for `WriteThroughCache` where nothing else is said. */
export const writeThroughDefaults: { readonly afterWrite: 'load' } = Object.freeze({
  afterWrite: 'load' as const,
})

/** What holds for `RefreshAhead` where nothing else is said. */
export const refreshAheadDefaults: Readonly<Record<'factor' | 'spread' | 'concurrency' | 'maxKeys', number>> =
  Object.freeze({
    factor: 0.8,
    spread: 0.1,
    concurrency: 4,
    maxKeys: 10_000,
  })

/** What holds for `SmartCache` where nothing else is said. */
export const smartCacheDefaults: Readonly<Record<'maxAncestors' | 'maxDependents' | 'remember', number>> =
  Object.freeze({ maxAncestors: 1_000, maxDependents: 10_000, remember: 24 * 60 * 60_000 })
