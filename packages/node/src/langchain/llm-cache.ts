import { type Cache, type Duration, keyOf } from '@flow-cache/core'
import { BaseCache } from '@langchain/core/caches'
import type { Generation } from '@langchain/core/outputs'
import {
  checkDuration,
  checkFunction,
  checkNames,
  checkObject,
  checkOneOf,
  checkText,
  wrong,
} from '../checks.js'
import { checkScope, type ScopeOrGlobal } from '../scope.js'
import { failOpen } from './fail-open.js'
import { type AnswerRules, isWhole, plainOf, type PlainGeneration, replayer } from './generations.js'

/** Options of {@link langChainCache}. */
export interface LangChainCacheOptions extends AnswerRules {
  /** Where answers are kept. Yours: close it when you are done. */
  readonly cache: Cache
  /** Whom answers belong to. Required: `'global'`, or an object; give each tenant's model its own. */
  readonly scope: ScopeOrGlobal
  /** Changes when old answers are to be forgotten. Default: `'0'`. */
  readonly version?: string | undefined
  /** For how long an answer is fresh. Default: the cache's own. */
  readonly ttl?: Duration | undefined
  /** Without it, keys can be guessed from likely prompts. Default: none. */
  readonly keySecret?: string | undefined
  /** Hears of everything that went wrong; the model does not. */
  readonly onError?: ((error: unknown, during: 'get' | 'set') => void) | undefined
}

interface Stored {
  readonly format: 1
  readonly key: string
  readonly generations: readonly PlainGeneration[]
}

/**
 * A cache for `new ChatOpenAI({ cache })` and every other model of LangChain.js. It never rejects, hands out a copy
 * each time, and keeps no answer that was cut short, filtered or calls tools.
 *
 * LangChain gives it the prompt as flat text, does not ask it for `.stream()`, and runs two calls at once twice.
 * Where that matters, take `cachedModel`.
 */
export function langChainCache(options: LangChainCacheOptions): BaseCache {
  return new LlmCache(options)
}

class LlmCache extends BaseCache {
  readonly #options: LangChainCacheOptions

  constructor(options: LangChainCacheOptions) {
    super()
    checkOptions(options)
    this.#options = options
  }

  override async lookup(prompt: string, llmKey: string): Promise<Generation[] | null> {
    const generations = await failOpen(this.#options.onError, 'get', async () => {
      const { cache } = this.#options
      const key = this.#keyOf(prompt, llmKey)
      const stored = await cache.get<Stored>(key)
      if (stored === undefined) return undefined
      if (isStored(stored, key) && this.#isKept(stored.generations))
        return stored.generations.map((each) => replayer()(each)) as Generation[]
      await cache.delete(key)
      return undefined
    })
    return generations ?? null
  }

  override async update(prompt: string, llmKey: string, value: Generation[]): Promise<void> {
    await failOpen(this.#options.onError, 'set', async () => {
      const { cache, ttl } = this.#options
      const key = this.#keyOf(prompt, llmKey)
      const stored: Stored = { format: 1, key, generations: value.map(plainOf) }
      if (this.#isKept(stored.generations)) await cache.set(key, stored, ttl === undefined ? {} : { ttl })
    })
  }

  #isKept(generations: readonly PlainGeneration[]): boolean {
    return generations.length > 0 && generations.every((each) => isWhole([each], this.#options, true))
  }

  #keyOf(prompt: string, llmKey: string): string {
    const { scope, version = '0', keySecret } = this.#options
    return `langchain:${keyOf(['flow-cache/langchain', keySecret, version, scope, prompt, llmKey])}`
  }
}

function isStored(value: unknown, name: string): value is Stored {
  const { format, key, generations } = (value ?? {}) as Partial<Stored>
  return format === 1 && key === name && Array.isArray(generations)
}

function checkOptions(options: LangChainCacheOptions): void {
  const known = ['cache', 'scope', 'version', 'ttl', 'keySecret', 'onError', 'finish', 'toolCalls']
  checkObject(options, "langChainCache's options")
  checkNames(options, known, 'langChainCache')
  const cache = options.cache as Partial<Cache> | undefined
  if (typeof cache?.get !== 'function') wrong('cache', 'a Cache', options.cache)
  checkScope(options.scope)
  checkDuration(options.ttl, 'ttl')
  checkRules(options)
  for (const name of ['version', 'keySecret'] as const)
    if (options[name] !== undefined) checkText(options[name], name)
  if (options.onError !== undefined) checkFunction(options.onError, 'onError')
}

/** Refuses rules that are wrong, by name. */
export function checkRules({ finish, toolCalls }: AnswerRules): void {
  if (finish !== undefined && !Array.isArray(finish)) wrong('finish', 'a list of reasons', finish)
  checkOneOf(toolCalls, ['skip', 'cache'], 'toolCalls')
}
