import type { CacheInfo, NodeReport } from '@flow-cache/node'

/** The steps of an answer, in order; each is a node of that id. */
export const stepNames = ['question', 'scan', 'chunk', 'index', 'retrieve', 'rerank', 'brief'] as const

/** One of the steps. */
export type StepName = (typeof stepNames)[number]

/** Where what a step answered with came from; `shared`: from a run that somebody else had begun. */
export type From = 'ran' | 'cache' | 'both' | 'shared'

/** What became of one step of one answer. */
export interface Step {
  readonly name: StepName
  readonly from: From
  /** How long it took, the look-up included. */
  readonly ms: number
  /** What it would have taken more without the cache: the recorded cost of what was found, less the look-up. */
  readonly savedMs: number
  /** What the step did, for people. */
  readonly note: string
  /** What the cache says of it; absent for a step that has none. */
  readonly cache?: CacheInfo
}

/** A step as a workflow reports of it. */
export function stepOf(name: StepName, { ms, cache }: NodeReport, note: string): Step {
  const step = { name, from: fromOf(cache), ms, savedMs: cache?.savedMs ?? 0, note }
  return cache === undefined ? step : { ...step, cache }
}

function fromOf(cache: CacheInfo | undefined): From {
  if (cache?.items !== undefined && cache.items.hits > 0 && cache.items.misses > 0) return 'both'
  if (cache?.status === 'hit' || cache?.status === 'stale') return 'cache'
  return cache?.status === 'shared' ? 'shared' : 'ran'
}
