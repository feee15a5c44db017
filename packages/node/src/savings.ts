import type { Status } from './cache-info.js'

/** What one run of a step took. */
export interface Spent {
  readonly ms: number
  readonly tokens: number
  readonly usd: number
}

/** What caching a node, or several, has brought so far. Times are in milliseconds. */
export interface SavingsReport {
  readonly hits: number
  readonly misses: number
  /** Calls that shared somebody else's run. */
  readonly shared: number
  readonly stale: number
  readonly bypass: number
  readonly errors: number
  /** Hits and stale hits among all calls that asked the cache; 0 before the first. */
  readonly hitRatio: number
  /** What hits did not take: the run they stand for. */
  readonly savedMs: number
  readonly savedTokens: number
  readonly savedUsd: number
  /** The same for calls that shared a run: they would have saved it without a store, too. */
  readonly sharedMs: number
  readonly sharedTokens: number
  readonly sharedUsd: number
  /** What runs took. */
  readonly spentMs: number
  readonly spentTokens: number
  readonly spentUsd: number
  /** What caching itself took: making keys, looking, storing. */
  readonly overheadMs: number
  /** `savedMs` less `overheadMs`. Below zero, caching costs more than it saves. */
  readonly netSavedMs: number
  /** One sentence for people. */
  readonly verdict: string
}

type Counts = { -readonly [K in keyof Omit<SavingsReport, 'hitRatio' | 'netSavedMs' | 'verdict'>]: number }

const zero: Readonly<Counts> = Object.freeze({
  hits: 0,
  misses: 0,
  shared: 0,
  stale: 0,
  bypass: 0,
  errors: 0,
  savedMs: 0,
  savedTokens: 0,
  savedUsd: 0,
  sharedMs: 0,
  sharedTokens: 0,
  sharedUsd: 0,
  spentMs: 0,
  spentTokens: 0,
  spentUsd: 0,
  overheadMs: 0,
})

/** Counts what caching saves and what it costs, by node. One may be shared by all nodes of a workflow. */
export class Savings {
  readonly #nodes = new Map<string, Counts>()

  /** A call was answered; `cost` is what the run it stands for took. */
  answered(nodeId: string, status: Status, cost: Spent): void {
    const counts = this.#of(nodeId)
    if (status === 'hit' || status === 'stale') {
      if (status === 'hit') counts.hits++
      else counts.stale++
      counts.savedMs += cost.ms
      counts.savedTokens += cost.tokens
      counts.savedUsd += cost.usd
    } else if (status === 'shared') {
      counts.shared++
      counts.sharedMs += cost.ms
      counts.sharedTokens += cost.tokens
      counts.sharedUsd += cost.usd
    } else {
      if (status === 'bypass') counts.bypass++
      else counts.misses++
      counts.spentMs += cost.ms
      counts.spentTokens += cost.tokens
      counts.spentUsd += cost.usd
    }
  }

  /** A run that nobody waited for, behind an old answer, took this. */
  behind(nodeId: string, cost: Spent): void {
    const counts = this.#of(nodeId)
    counts.spentMs += cost.ms
    counts.spentTokens += cost.tokens
    counts.spentUsd += cost.usd
  }

  /** Time that caching took. */
  overhead(nodeId: string, ms: number): void {
    this.#of(nodeId).overheadMs += Math.max(0, ms)
  }

  /** The cache failed, and the node did not. */
  failed(nodeId: string): void {
    this.#of(nodeId).errors++
  }

  /** The names of the nodes that were counted. */
  nodes(): readonly string[] {
    return [...this.#nodes.keys()]
  }

  /** What one node, or all together, saved so far. */
  report(nodeId?: string): SavingsReport {
    const sum: Counts = { ...zero }
    for (const [id, counts] of this.#nodes) {
      if (nodeId !== undefined && id !== nodeId) continue
      for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name]
    }
    const asked = sum.hits + sum.stale + sum.shared + sum.misses
    const netSavedMs = sum.savedMs - sum.overheadMs
    return {
      ...sum,
      hitRatio: asked === 0 ? 0 : (sum.hits + sum.stale) / asked,
      netSavedMs,
      verdict:
        netSavedMs < 0 && sum.savedUsd === 0
          ? 'caching this costs more than it saves'
          : `caching this has saved ${Math.round(netSavedMs)} ms`,
    }
  }

  #of(nodeId: string): Counts {
    let counts = this.#nodes.get(nodeId)
    if (counts === undefined) this.#nodes.set(nodeId, (counts = { ...zero }))
    return counts
  }
}
