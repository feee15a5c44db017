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
  readonly #keysOf: (items: readonly unknown[]) => readonly string[]
  readonly #computed = new Map<string, KeptItem>()
  #spentMs = 0
  #answered = false

  /** `keysOf` makes the keys anew, to tell whether the caller has changed items since. */
  constructor(
    setup: MapSetup,
    items: ReadonlyMap<string, unknown>,
    run: RunItems,
    keysOf: (items: readonly unknown[]) => readonly string[],
  ) {
    this.#setup = setup
    this.#items = items
    this.#run = run
    this.#keysOf = keysOf
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
    const changed = this.#changedOf(missing)
    const computed = await this.compute(missing, signal, ttlMs)
    const { nodeId, books, isWorthKeeping } = this.#setup
    return computed.map((kept) => {
      if (this.#answered) books.savings.behind(nodeId, kept.cost)
      const refused = changed.has(kept.key)
        ? 'what the key is made of was changed after the call'
        : isWorthKeeping(kept.output)
          ? undefined
          : 'store said no'
      if (refused !== undefined) {
        books.tell({ type: 'not-stored', nodeId, reason: refused })
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

  /** Those of which the inner node would see another item than their keys say. */
  #changedOf(keys: readonly string[]): ReadonlySet<string> {
    try {
      const now = this.#keysOf(keys.map((key) => this.#items.get(key)))
      return new Set(keys.filter((key, i) => now[i] !== key))
    } catch {
      return new Set(keys)
    }
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
