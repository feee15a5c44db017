import type { Clock } from '@flow-cache/core'
import type { CacheInfo, Status } from '../cache-info.js'
import { difference, type Digests, digestsOf, type KeyParts } from '../key.js'
import { ignored } from '../ignored.js'
import type { NodeResult } from '../node.js'
import type { KeepingOptions, StepEvent } from '../options.js'
import { priceOf } from '../price.js'
import { Savings, type Spent } from '../savings.js'

/** What nobody had to pay for. */
export const free: Spent = Object.freeze({ ms: 0, tokens: 0, usd: 0 })

/** Counts what calls took and saved, says why they missed, and tells whoever listens. Never fails. */
export class Books {
  readonly savings: Savings
  readonly #options: KeepingOptions
  readonly #clock: Clock
  /** What the last miss of each node was made of. There are as many as nodes share these options: one, mostly. */
  readonly #last = new Map<string, Digests>()

  constructor(options: KeepingOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.savings = options.savings ?? new Savings()
  }

  tell(event: StepEvent): void {
    try {
      ignored(this.#options.onEvent?.(event))
    } catch {
      // A listener that fails has nobody left to tell.
    }
  }

  /** The cache failed, and the step did not. */
  sick(nodeId: string, during: string, error: unknown): undefined {
    this.savings.failed(nodeId)
    this.tell({ type: 'error', nodeId, during, error })
    return undefined
  }

  /** Counts an answer, and what the cache took of the time since `began`; a run took `runMs` of it. */
  answered(nodeId: string, status: Status, cost: Spent, began: number, runMs = 0): void {
    this.savings.answered(nodeId, status, cost)
    this.savings.overhead(nodeId, this.since(began, runMs))
  }

  since(began: number, runMs = 0): number {
    return Math.max(0, this.#clock.now() - began - runMs)
  }

  /** What a run took beside time. */
  cost(nodeId: string, result: NodeResult, chunks: readonly unknown[]): { tokens: number; usd: number } {
    const { cost, pricing } = this.#options
    if (cost === undefined || !result.success) return { tokens: 0, usd: 0 }
    try {
      const of = cost(result, chunks) ?? {}
      const isSound = [of.inputTokens, of.outputTokens].every(
        (count) => count === undefined || Number.isFinite(count),
      )
      if (of instanceof Promise || !isSound) {
        ignored(of)
        throw new TypeError('cost must answer at once, with numbers')
      }
      return { tokens: (of.inputTokens ?? 0) + (of.outputTokens ?? 0), usd: priceOf(of, pricing) }
    } catch (error) {
      this.tell({ type: 'error', nodeId, during: 'cost', error })
      return { tokens: 0, usd: 0 }
    }
  }

  /** Which part of the key has changed since the last miss. */
  why(nodeId: string, parts: KeyParts): string | undefined {
    try {
      const now = digestsOf(parts, this.#options)
      const why = difference(this.#last.get(nodeId), now)
      this.#last.set(nodeId, now)
      return why
    } catch {
      return undefined
    }
  }

  /** Calls the listener that the answer is for. */
  announce(nodeId: string, info: CacheInfo): void {
    const { onHit, onMiss } = this.#options
    try {
      if (info.status === 'hit' || info.status === 'stale' || info.status === 'shared') ignored(onHit?.(info))
      else ignored(onMiss?.(info))
    } catch (error) {
      this.tell({ type: 'error', nodeId, during: 'listener', error })
    }
  }
}
