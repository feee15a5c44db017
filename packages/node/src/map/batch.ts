import { cloneOf, doNotCache, type LoadMany, toMs } from '@flow-cache/core'
import { NodeCacheError } from '../errors.js'
import type { NodeError, NodeResult } from '../node.js'
import { threw } from '../recall/step-errors.js'
import type { KeptItem } from './kept-item.js'
import type { MapSetup } from './map-setup.js'

/** The inner node failed. */
export class BatchFailed extends Error {
  readonly result: NodeError

  constructor(result: NodeError) {
    super(result.error.message)
    this.result = result
  }
}

/** Runs the inner node with some of the items. */
export type RunItems = (items: readonly unknown[], signal: AbortSignal) => Promise<NodeResult>

/** The items of one call by their keys, and what the inner node made of those that were missing. */
export class Batch {
  readonly #setup: MapSetup
  readonly #items: ReadonlyMap<string, unknown>
  readonly #run: RunItems
  readonly #computed = new Map<string, KeptItem>()
  #spentMs = 0
  #answered = false

  constructor(setup: MapSetup, items: ReadonlyMap<string, unknown>, run: RunItems) {
    this.#setup = setup
    this.#items = items
    this.#run = run
  }

  /** The keys of the items, each once. */
  get keys(): readonly string[] {
    return [...this.#items.keys()]
  }

  /** What the inner node made of the items so far. */
  get computed(): ReadonlyMap<string, KeptItem> {
    return this.#computed
  }

  /** What its calls took. */
  get spentMs(): number {
    return this.#spentMs
  }

  /** What is computed from here on is nobody's answer: it replaces old ones behind the caller's back. */
  end(): void {
    this.#answered = true
  }

  /** The loader that the cache is asked with. */
  readonly load: LoadMany<KeptItem> = async (missing, { signal, options }) => {
    const ttlMs = options.ttl === undefined ? Infinity : toMs(options.ttl, 'ttl')
    const computed = await this.compute(missing, signal, ttlMs)
    const { nodeId, books, isWorthKeeping } = this.#setup
    return computed.map((kept) => {
      if (this.#answered) books.savings.behind(nodeId, kept.cost)
      if (!isWorthKeeping(kept.output)) {
        books.tell({ type: 'not-stored', nodeId, reason: 'store said no' })
        return doNotCache(kept)
      }
      try {
        // A copy, unless it is said that nobody changes the output.
        return this.#setup.options.copy === 'share' ? kept : cloneOf(kept)
      } catch (error) {
        books.tell({ type: 'error', nodeId, during: 'keep', error })
        return doNotCache(kept)
      }
    })
  }

  /** Calls the inner node once, with the items of these keys. */
  async compute(
    missing: readonly string[],
    signal: AbortSignal,
    ttlMs: number,
  ): Promise<readonly KeptItem[]> {
    if (missing.length === 0) return []
    const { clock, books, nodeId } = this.#setup
    const start = clock.now()
    try {
      const items = missing.map((key) => this.#items.get(key))
      const result = await this.#run(items, signal)
      if (!result.success) throw new BatchFailed(result)
      const outputs = outputsOf(result.output, missing.length, nodeId)
      const at = clock.now()
      const { tokens, usd } = books.cost(nodeId, result, [])
      const count = missing.length
      const cost = { ms: (at - start) / count, tokens: tokens / count, usd: usd / count }
      const kept = missing.map((key, i) => ({ format: 1 as const, key, output: outputs[i], cost, at, ttlMs }))
      if (!this.#answered) for (const item of kept) this.#computed.set(item.key, item)
      return kept
    } catch (error) {
      threw(error)
      throw error
    } finally {
      this.#spentMs += clock.now() - start
    }
  }
}

function outputsOf(output: unknown, count: number, nodeId: string): readonly unknown[] {
  if (Array.isArray(output) && output.length === count) return output
  throw new NodeCacheError(
    'ERR_RESULT',
    `node '${nodeId}' must answer with one output for each of ${count} items`,
  )
}
