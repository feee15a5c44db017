import type { Flight } from './flight.js'
import { DoNotCache, type LoadContext, type LoadManyContext, type Previous } from './loader.js'
import type { LoadOptions } from './options.js'
import { type Plan, plan } from './plan.js'
import type { Found } from './found.js'
import type { Scope } from './scope.js'

/** A loader's context. What few loaders ask for is made when they do. */
export class Context implements LoadContext {
  readonly #flight: Flight
  readonly #now: number
  readonly #signal: AbortSignal | undefined
  #options: LoadOptions | undefined
  #previous: PreviousEntry | undefined

  #plan: Plan | undefined

  /** `signal`: the one of all that are loaded together, where there are several. */
  constructor(flight: Flight, now: number, signal?: AbortSignal) {
    this.#flight = flight
    this.#now = now
    this.#signal = signal
  }

  get key(): string {
    return this.#flight.request.key
  }

  get signal(): AbortSignal {
    return this.#signal ?? this.#flight.signal
  }

  get previous(): Previous | undefined {
    const found = this.#flight.stale
    if (found === undefined) return undefined
    this.#previous ??= new PreviousEntry(found, this.#flight.request.scope, this.#now)
    return this.#previous as unknown as Previous
  }

  get options(): LoadOptions {
    this.#options ??= loadOptions(this.#flight.request.plan)
    return this.#options
  }

  /** What a `loadMany` is told. */
  get many(): LoadManyContext {
    const { signal, options } = this
    return { signal, options }
  }

  /** What the loader made of the options. A wrong one is a `TypeError` or a `RangeError`, as anywhere. */
  plan(result: unknown): Plan {
    const before = this.#flight.request.plan
    const after = (this.#plan ??= this.#options === undefined ? before : plan(before, this.#options))
    if (!(result instanceof PreviousEntry) || result.tags.length === 0) return after
    // What is kept keeps the tags it had.
    return { ...after, tags: [...new Set([...after.tags, ...result.tags])] }
  }
}

/** A plan's part that a loader may change. */
function loadOptions(from: Plan): LoadOptions {
  const { ttl, grace, jitter, negativeTtl, tags, version } = from
  return { ttl, grace, jitter, negativeTtl, tags: [...tags], version }
}

/** The brand of `Previous` is a matter of types alone: at run time the class tells. */
class PreviousEntry {
  readonly value: unknown
  readonly state: 'fresh' | 'stale'
  readonly ageMs: number
  readonly tags: readonly string[]

  constructor(found: Found, scope: Scope, now: number) {
    this.value = found.value
    this.state = found.state
    this.ageMs = Math.max(0, now - found.entry.createdAt)
    this.tags = userTags(found.entry, scope)
  }
}

/** An entry's tags as the caller gave them. */
export function userTags(entry: Found['entry'], scope: Scope): readonly string[] {
  if (entry.tags === undefined) return []
  return entry.tags.map((tag) => scope.tagOf(tag.name)).filter((tag) => tag !== undefined)
}

/** What a loader returned, unwrapped. */
export function valueOf(result: unknown): unknown {
  return result instanceof DoNotCache || result instanceof PreviousEntry ? result.value : result
}
