import { type Cache, type Duration, keyOf } from '@flow-cache/core'
import { BaseCache, type CacheFullKey, type CacheNamespace } from '@langchain/langgraph-checkpoint'
import { checkDuration, checkFunction, checkNames, checkObject, checkText, wrong } from '../checks.js'
import { failOpen } from '../langchain/fail-open.js'
import { fromPlain, toPlain } from '../plain.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import { graphShapes } from './shapes.js'

/** Options of {@link langGraphCache}. */
export interface LangGraphCacheOptions {
  /** Where the writes of nodes are kept. Yours: close it when you are done. */
  readonly cache: Cache
  /** Names the graph. LangGraph does not: two graphs with a node of the same name would share its entries. */
  readonly graph: string
  /** Changes when the code of the graph's nodes does. */
  readonly version: string
  /**
   * Whom the entries belong to. Required. LangGraph makes its keys of a node's input alone, and tells a cache nothing
   * of the run: for tenants compile the graph for each, with a cache of its own, or take `cachedNode`.
   */
  readonly scope: ScopeOrGlobal
  /** For how long an entry is fresh where the node's cache policy has no `ttl`. Default: the cache's own. */
  readonly ttl?: Duration | undefined
  /** Without it, scope and version could be guessed from the names in the store. Default: none. */
  readonly keySecret?: string | undefined
  /** Hears of everything that went wrong; the graph does not. */
  readonly onError?: ((error: unknown, during: 'get' | 'set' | 'clear') => void) | undefined
}

type Pair<V> = { key: CacheFullKey; value: V }

/** What is stored: the writes of one task, and under which key. */
interface Stored {
  readonly format: 1
  readonly key: string
  readonly writes: unknown
}

/** Writes of a run that has not come to an end, or came to a bad one. */
const unfinished = new Set<string>(['__error__', '__interrupt__', '__resume__'])

/**
 * A cache for `graph.compile({ cache })` or `entrypoint({ cache })`, over any cache of ours. Cheap enough to make for
 * each tenant. It never rejects: what fails is a miss, or is not kept. Errors and interrupts are
 * not kept, nor what was answered after an interrupt. What it hands out is made anew for each reader.
 */
export function langGraphCache(options: LangGraphCacheOptions): BaseCache {
  return new GraphCache(options)
}

class GraphCache extends BaseCache {
  readonly #options: LangGraphCacheOptions
  readonly #space: Cache

  constructor(options: LangGraphCacheOptions) {
    super()
    checkOptions(options)
    const { cache, graph, version, keySecret } = options
    const whose = keyOf(['flow-cache/langgraph', keySecret, graph, version, checkScope(options.scope)])
    this.#options = options
    this.#space = cache.namespace(`langgraph.${graph}.${whose}`)
  }

  override async get(keys: CacheFullKey[]): Promise<Pair<unknown>[]> {
    const found = await Promise.all(keys.map(async (key) => this.#find(key)))
    return found.filter((pair) => pair !== undefined)
  }

  override async set(pairs: (Pair<unknown> & { ttl?: number })[]): Promise<void> {
    await Promise.all(
      pairs.map(async ({ key, value, ttl }) =>
        failOpen(this.#options.onError, 'set', async () => {
          if (!Array.isArray(value) || value.some((write: unknown) => isUnfinished(write))) return
          const stored: Stored = { format: 1, key: nameOf(key), writes: toPlain(value, graphShapes) }
          const fresh = ttl === undefined ? this.#options.ttl : ttl * 1000
          await this.#in(key[0]).set(stored.key, stored, fresh === undefined ? {} : { ttl: fresh })
        }),
      ),
    )
  }

  override async clear(namespaces: CacheNamespace[]): Promise<void> {
    const spaces = namespaces.length === 0 ? [this.#space] : namespaces.map((each) => this.#in(each))
    await Promise.all(
      spaces.map(async (space) => failOpen(this.#options.onError, 'clear', async () => space.clear())),
    )
  }

  async #find(key: CacheFullKey): Promise<Pair<unknown> | undefined> {
    return failOpen(this.#options.onError, 'get', async () => {
      const space = this.#in(key[0])
      const name = nameOf(key)
      const stored = await space.get<Stored>(name)
      if (stored === undefined) return undefined
      if (isStored(stored, name)) return { key, value: fromPlain(stored.writes, graphShapes) }
      await space.delete(name)
      return undefined
    })
  }

  #in(namespace: CacheNamespace): Cache {
    return this.#space.namespace(keyOf(namespace))
  }
}

const nameOf = (key: CacheFullKey): string => keyOf(key)

const isUnfinished = (write: unknown): boolean => Array.isArray(write) && unfinished.has(write[0] as string)

function isStored(value: unknown, name: string): value is Stored {
  const { format, key, writes } = (value ?? {}) as Partial<Stored>
  return format === 1 && key === name && Array.isArray(writes) && !writes.some((write) => isUnfinished(write))
}

function checkOptions(options: LangGraphCacheOptions): void {
  checkObject(options, "langGraphCache's options")
  checkNames(options, ['cache', 'graph', 'version', 'scope', 'ttl', 'keySecret', 'onError'], 'langGraphCache')
  const cache = options.cache as Partial<Cache> | undefined
  if (typeof cache?.namespace !== 'function') wrong('cache', 'a Cache', options.cache)
  checkText(options.graph, 'graph')
  checkText(options.version, 'version')
  checkDuration(options.ttl, 'ttl')
  if (options.keySecret !== undefined) checkText(options.keySecret, 'keySecret')
  if (options.onError !== undefined) checkFunction(options.onError, 'onError')
}
