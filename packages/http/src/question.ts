import { doNotCache, type DoNotCache, type LoadContext } from '@flow-cache/core'
import { endBody, readBody, type Read } from './body.js'
import type { Report } from './cache-status.js'
import { questionFor, updated } from './conditions.js'
import { mayStandIn } from './judging.js'
import type { Settings } from './options.js'
import { type Resource, variantKey } from './resource.js'
import { bodyOf, pass, type Pass, type Stored, storedOf } from './stored.js'
import { isValidated, type Refused, termsOf } from './storing.js'
import { variantOf } from './vary.js'

/** How long it is remembered that a resource is not kept, in milliseconds. */
const passFor = 120_000

/** What a load ends with that has nothing for others: they ask for themselves. */
const own = doNotCache(undefined)

/** The handler failed while there is a stale response that may stand in. */
class HandlerFailed extends Error {}

/** What the handler answered to the request that asked, or threw. */
export type Mine = { readonly response: Response; readonly report: Report } | { readonly error: unknown }

/** What one request asks the handler, if it is the one that does. */
export class Question {
  readonly #settings: Settings
  readonly #resource: Resource
  readonly #handler: (request: Request) => Promise<Response>
  #mine: Mine | undefined
  #isLeft = false

  constructor(settings: Settings, resource: Resource, handler: (request: Request) => Promise<Response>) {
    this.#settings = settings
    this.#resource = resource
    this.#handler = handler
  }

  /** Asks for this request alone, and keeps nothing. */
  async alone(): Promise<Response> {
    return this.#handler(this.#resource.request)
  }

  /** The answer, for this request alone; `undefined` while the handler has not given one. */
  get mine(): Mine | undefined {
    return this.#mine
  }

  /** Ends the answer, also one that is still to come: nobody is there to read it. */
  leave(): void {
    this.#isLeft = true
    if (this.#mine !== undefined && 'response' in this.#mine) endBody(this.#mine.response)
  }

  #take(mine: Mine): void {
    this.#mine = mine
    if (this.#isLeft) this.leave()
  }

  /** Loads: asks the handler, and says what is kept of its answer. */
  async load(
    key: string,
    { signal, previous, options }: LoadContext,
    behind: boolean,
  ): Promise<Stored | Pass | DoNotCache<undefined>> {
    const { request } = this.#resource
    const { clock, cache, maxBodyBytes } = this.#settings
    const kept = storedOf(previous?.value)
    const isOurs = kept?.kind === 'response' && kept.variant === (await variantOf(kept.vary, request.headers))
    const before = isOurs ? kept : undefined
    let response: Response
    try {
      response = await this.#handler(questionFor(request, before, signal))
    } catch (error) {
      signal.throwIfAborted()
      if (before !== undefined && (behind || mayStandIn(before, clock.now())))
        throw new HandlerFailed('', { cause: error })
      this.#take({ error })
      return own
    }
    if (signal.aborted) {
      endBody(response, signal.reason)
      throw signal.reason
    }
    if (response.status >= 500 && before !== undefined && (behind || mayStandIn(before, clock.now()))) {
      endBody(response)
      throw new HandlerFailed(`the handler answered ${response.status}`)
    }
    let { status, statusText, headers } = response
    const isConfirmed = status === 304 && before !== undefined
    if (isConfirmed) {
      const merged = updated(before, headers)
      if (merged === undefined) {
        // It speaks of another response than the one it was asked about.
        await cache.delete(key)
        this.#take({ response: await this.#handler(questionFor(request, undefined, signal)), report: {} })
        return own
      }
      ;({ status, statusText } = before)
      headers = merged
    }
    const mine = (body: BodyInit | null, report: Report): void => {
      const forwardStatus = isConfirmed ? 304 : undefined
      this.#take({
        response: new Response(body, { status, statusText, headers }),
        report: { ...report, forwardStatus },
      })
    }
    const terms = termsOf(this.#resource, status, statusText, headers, this.#settings)
    if ('why' in terms) {
      if (isConfirmed) mine(bodyOf(before), { detail: terms.why })
      else this.#take({ response, report: { detail: terms.why } })
      return this.#refuse(key, terms, kept, options)
    }
    const length = Number(headers.get('content-length') ?? Number.NaN)
    if (!isConfirmed && length > maxBodyBytes) {
      this.#take({ response, report: { detail: 'too-long' } })
      return this.#refuse(key, { why: 'too-long', always: true }, kept, options)
    }
    let read: Read
    try {
      read = isConfirmed ? { whole: before.body } : await readBody(response.body, maxBodyBytes, signal)
    } catch (error) {
      signal.throwIfAborted()
      this.#take({ error })
      return own
    }
    if ('tooLong' in read) {
      mine(read.tooLong, { detail: 'too-long' })
      return this.#refuse(key, { why: 'too-long', always: true }, kept, options)
    }
    const body = read.whole
    const stored: Stored = { ...terms, body, variant: await variantOf(terms.vary, request.headers) }
    if (
      !isConfirmed &&
      (body?.byteLength ?? 0) !== length &&
      !Number.isNaN(length) &&
      !headers.has('content-encoding')
    ) {
      mine(bodyOf(stored), { detail: 'incomplete' })
      return own
    }
    // What it depends on has changed: the resource begins anew.
    if (key !== this.#resource.key && key !== variantKey(this.#resource, stored.variant)) {
      await cache.delete(this.#resource.key)
      mine(bodyOf(stored), { detail: 'vary-changed' })
      return own
    }
    mine(bodyOf(stored), { stored: true, ttl: stored.lifetime - stored.age })
    options.ttl = Math.max(1, (stored.lifetime - stored.age) * 1_000)
    options.grace = this.#graceOf(stored, headers)
    options.tags = [...(options.tags ?? []), ...stored.tags]
    return stored
  }

  /** Ends a load whose response is not kept. */
  async #refuse(
    key: string,
    { always }: Refused,
    kept: Stored | Pass | undefined,
    options: LoadContext['options'],
  ): Promise<Pass | DoNotCache<undefined>> {
    if (!always) return own
    if (kept === undefined) {
      options.ttl = passFor
      options.grace = 0
      return pass
    }
    // What was kept is not what the handler would say now.
    if (kept.kind === 'response') await this.#settings.cache.delete(key)
    return own
  }

  /** How long a stale response is of use, in milliseconds. */
  #graceOf({ staleWhileRevalidate, staleIfError }: Stored, headers: Headers): number {
    const validated = isValidated(headers) ? this.#settings.revalidateFor : 0
    return Math.max(staleWhileRevalidate * 1_000, staleIfError * 1_000, validated)
  }
}
