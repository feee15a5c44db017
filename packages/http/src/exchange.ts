import { CacheError } from '@flow-cache/core'
import type { Report } from './cache-status.js'
import { isReload, mayCover, mayStandIn, suffices, type Wish } from './judging.js'
import type { Settings } from './options.js'
import { Question } from './question.js'
import { kept, reply, told, unavailable } from './replies.js'
import { type Resource, tagOf, variantKey } from './resource.js'
import { freshFor, pass, type Pass, type Stored, storedOf } from './stored.js'
import type { Variants } from './variants.js'
import { variantOf } from './vary.js'

/** How long a failing handler is not asked again where a stale response may be served, in milliseconds. */
const holdOff = 10_000

/** How often a request looks again, after it waited for a response that turned out to be another's. */
const mostTries = 3

/** The one GET or HEAD request that is being answered. */
export class Exchange {
  readonly #settings: Settings
  readonly #resource: Resource
  readonly #variants: Variants
  readonly #question: Question
  /** Is given work that outlives the response; `undefined` where there may be none. */
  readonly #behind: ((work: Promise<unknown>) => void) | undefined

  constructor(
    settings: Settings,
    variants: Variants,
    resource: Resource,
    handler: (request: Request) => Promise<Response>,
    behind: ((work: Promise<unknown>) => void) | undefined,
  ) {
    this.#settings = settings
    this.#variants = variants
    this.#resource = resource
    this.#question = new Question(settings, resource, handler)
    this.#behind = behind
  }

  /** The response: what is kept if that will do, otherwise the handler's. */
  async answer(): Promise<Response> {
    const { request, directives } = this.#resource
    for (let tries = 0; tries < mostTries; tries++) {
      const { key, found, forward } = await this.#look()
      const stored = found?.kind === 'response' ? found : undefined
      if (stored !== undefined && suffices(stored, this.#wish())) return this.#hit(stored)
      if (directives.onlyIfCached) return unavailable(this.#settings.cacheStatus)
      // A HEAD brings no body to keep, and what nobody may keep is for nobody to wait for.
      if (request.method === 'HEAD' || directives.noStore) return this.#pass({ forward })
      if (stored !== undefined && mayCover(stored, this.#wish()) && this.#behind !== undefined) {
        this.#behind(this.#ask(key, false, true).finally(() => this.#question.leave()))
        return this.#hit(stored)
      }
      const isFresh = stored !== undefined && freshFor(stored, this.#now()) > 0
      // Those have to be asked about by each request for itself; nobody waits for another's.
      const isNobodys = found?.kind === 'pass' || (stored !== undefined && stored.lifetime <= stored.age)
      const answered = await this.#ask(key, isFresh || isNobodys || isReload(this.#wish()), false)
      const shared = storedOf(answered)
      if (this.#question.mine !== undefined) {
        if (shared?.kind === 'response') this.#use(shared)
        return this.#give(isFresh ? 'request' : forward)
      }
      if (shared === undefined || shared.kind === 'pass') return this.#pass({ forward, detail: 'not-shared' })
      if (shared.variant !== (await variantOf(shared.vary, request.headers))) continue
      // The very one that would not do: the handler failed.
      const isOld = shared.receivedAt === stored?.receivedAt
      if (!isOld && freshFor(shared, this.#now()) > 0) {
        return this.#respond(shared, { forward, collapsed: true, ttl: freshFor(shared, this.#now()) })
      }
      if (mayStandIn(shared, this.#now())) return this.#hit(shared, 'handler-failed')
      return this.#pass({ forward })
    }
    return this.#pass({ forward: 'vary-miss' })
  }

  /** Asks the handler for this request alone, and keeps nothing. */
  async #pass(report: Report): Promise<Response> {
    return told(await this.#question.alone(), this.#settings.cacheStatus, report)
  }

  /** What is kept for the request, and under which key it is, or would be. */
  async #look(): Promise<{
    key: string
    found: Stored | Pass | undefined
    forward: 'uri-miss' | 'vary-miss' | 'stale'
  }> {
    const { key, request } = this.#resource
    const first = await this.#read(key)
    if (first?.kind !== 'response') return { key, found: first, forward: 'uri-miss' }
    const variant = await variantOf(first.vary, request.headers)
    if (variant === first.variant) {
      this.#use(first)
      return { key, found: first, forward: 'stale' }
    }
    const own = variantKey(this.#resource, variant)
    const found = await this.#read(own)
    // It may depend on other headers by now.
    if (found?.kind !== 'response' || found.variant !== variant) {
      return { key: own, found: found?.kind === 'pass' ? found : undefined, forward: 'vary-miss' }
    }
    this.#use(found)
    return { key: own, found, forward: 'stale' }
  }

  async #read(key: string): Promise<Stored | Pass | undefined> {
    try {
      const entry = await this.#settings.cache.getEntry(key)
      // What somebody else has put there is replaced.
      return entry && (storedOf(entry.value) ?? pass)
    } catch {
      return undefined
    }
  }

  /** Has the handler asked under this key, by this request or by another one that does already. */
  async #ask(key: string, anew: boolean, behind: boolean): Promise<unknown> {
    const { cache } = this.#settings
    const { request } = this.#resource
    try {
      return await cache.getOrSet<unknown>(key, (context) => this.#question.load(key, context, behind), {
        tags: [tagOf(this.#resource)],
        errorTtl: holdOff,
        timeouts: { soft: Infinity, hard: Infinity },
        forceRefresh: anew || undefined,
        signal: behind ? undefined : request.signal,
      })
    } catch (error) {
      if (behind || (this.#question.mine !== undefined && !request.signal.aborted)) return undefined
      // What the handler still answers to this load is for nobody.
      this.#question.leave()
      // The handler takes too long; asking it once more would not help.
      if (error instanceof CacheError && error.code === 'ERR_LOAD_TIMEOUT') throw error
      request.signal.throwIfAborted()
      return undefined
    }
  }

  /** Notes a variant that is used, and drops the one that has to go for it. */
  #use({ vary, variant }: Stored): void {
    if (vary.length === 0) return
    const gone = this.#variants.use(tagOf(this.#resource), variant)
    if (gone !== undefined) void this.#settings.cache.delete(variantKey(this.#resource, gone)).catch(() => {})
  }

  #now(): number {
    return this.#settings.clock.now()
  }

  #wish(): Wish {
    const { obeyRequests } = this.#settings
    return { directives: this.#resource.directives, obeyRequests, now: this.#now() }
  }

  #hit(stored: Stored, detail?: string): Response {
    return this.#respond(stored, { hit: true, ttl: freshFor(stored, this.#now()), detail })
  }

  #respond(stored: Stored, report: Report): Response {
    const { request } = this.#resource
    return kept(request, stored, this.#now(), this.#settings.cacheStatus, report)
  }

  /** What the handler answered to this request. */
  #give(forward: NonNullable<Report['forward']>): Response {
    const mine = this.#question.mine!
    if ('error' in mine) throw mine.error
    const { response, report } = mine
    const { status, statusText } = response
    const head = { status, statusText, headers: new Headers(response.headers) }
    return reply(this.#resource.request, response.body, head, this.#settings.cacheStatus, {
      forward,
      ...report,
    })
  }
}
