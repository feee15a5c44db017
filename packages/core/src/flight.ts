import type { Clock } from './clock.js'
import { type Deferred, deferred } from './deferred.js'
import type { Found } from './found.js'
import type { Loader, LoadMany } from './loader.js'
import type { Target } from './scope.js'
import type { TagVersion } from './entry.js'
import { anyDead } from './tag-table.js'

/** What a flight fails with when it brings nothing for those who joined it, and no error either: they begin anew. */
export const startOver: unique symbol = Symbol('start over')

/** What a flight, or one caller's wait for it, comes to. */
export type Landed = Brought | StandIn | Failed

/** A value, for all who wait. */
export interface Brought {
  readonly value: unknown
  /** The entry, if the store had it. */
  readonly found?: Found
}

/** A stale value in the place of what was to come. */
export interface StandIn {
  readonly stale: Found
  readonly reason: 'error' | 'timeout' | 'held-off'
  readonly error?: unknown
}

/** An error, where no stale value stands in. */
export interface Failed {
  readonly failure: unknown
}

/** What is to be loaded, and how. */
export interface Request extends Target {
  readonly loader?: Loader<unknown>
  /** In place of `loader`. */
  readonly loadMany?: LoadMany<unknown>
  /** How many keys are asked for together. */
  readonly among?: number
  /** The store was asked for it in this turn: what it has is `found`. */
  readonly looked?: boolean
  readonly found?: Found | undefined
  /** The store was asked for it a moment ago and failed: it need not be asked again. */
  readonly unasked?: boolean
  /** Nobody waits for it; it replaces what is there. */
  readonly background?: boolean
}

/** What is made of a flight when somebody asks for it: of many keys that are loaded together, few are asked. */
interface Asked {
  landing?: Deferred<Landed>
  reading?: Deferred<void>
  controller?: AbortController
  reason?: { readonly error: unknown }
}

/**
 * One load of one key, and those who wait for it. It is in the flight table from before its first wait until
 * it ends or is fenced; a fenced one still answers those who joined before, and stores nothing.
 */
export class Flight {
  readonly request: Request
  readonly background: boolean
  /** It replaces what is there, whatever that is. */
  readonly forced: boolean
  readonly startedAt: number
  /** The table's count of tag changes when it began. */
  readonly changes: number
  /** Where it stands in the list of what is running. */
  place = 0
  /** How many callers wait. */
  waiting = 0
  /** It goes on when nobody waits. */
  kept: boolean
  /** Its key was changed: what it brings is not to be stored. */
  fenced = false
  settled = false
  /** What it came to, once it is settled. */
  outcome: Landed | undefined
  /** What it brings may be stored: the versions of its tags are known. */
  storable = true
  /** A tag that its loader added had changed since it began. */
  outdated = false
  /** The store could not be asked: what it brings may be kept in the nearest tier alone. */
  alone = false
  /** Another process has the right to load its key: what it still needs of the origin it asks by itself. */
  apart = false
  /** The loader's synchronous part is on the stack. */
  calling = false
  /** The loader is at work. */
  atWork = false
  /** When the loader was called; `0` before. */
  loadedAt = 0
  /** The versions of its tags from before it began. */
  tags: readonly TagVersion[] = []
  /** The entry it found and is to replace, if any. */
  stale: Found | undefined
  lease: string | undefined
  /** Gives the lease back, if it has one. */
  endLease: (() => void) | undefined
  /** Called when it leaves: ends the deadline of the load. */
  endLimit: (() => unknown) | undefined
  /** Called when it leaves: ends the renewal of its lease, or its wait for one. */
  endWait: (() => unknown) | undefined
  /** Called when it is given up. */
  onAbort: ((reason: unknown) => void) | undefined
  /** Called when it is settled. */
  onEnd: (() => void) | undefined

  /** The store has been asked. */
  #hasRead = false
  #asked: Asked | undefined

  constructor(request: Request, forced: boolean, startedAt: number, changes: number) {
    this.request = request
    this.background = request.background === true
    this.kept = this.background
    this.forced = forced || this.background
    this.startedAt = startedAt
    this.changes = changes
  }

  /** What it will have come to. */
  get landed(): Promise<Landed> {
    const landing = (this.#more.landing ??= deferred())
    if (this.outcome !== undefined) landing.resolve(this.outcome)
    return landing.promise
  }

  /** Settles when the store has been asked and `stale` is known. */
  get read(): Promise<void> {
    const reading = (this.#more.reading ??= deferred())
    if (this.#hasRead) reading.resolve()
    return reading.promise
  }

  /** The store has been asked. */
  hasRead(): void {
    this.#hasRead = true
    this.#asked?.reading?.resolve()
  }

  /** The loader's signal. */
  get signal(): AbortSignal {
    const more = this.#more
    if (more.controller === undefined) {
      more.controller = new AbortController()
      if (more.reason !== undefined) more.controller.abort(more.reason.error)
    }
    return more.controller.signal
  }

  get #more(): Asked {
    return (this.#asked ??= {})
  }

  /** The stale value, if it may still be served. */
  standIn(clock: Clock): Found | undefined {
    const { stale, fenced } = this
    if (stale === undefined || fenced) return undefined
    const { staleAt, expiresAt, tags } = stale.entry
    // Without grace nothing stands in for a load that was asked for.
    if (expiresAt === staleAt || clock.now() >= expiresAt || anyDead(tags)) return undefined
    return stale
  }

  /** Tells those who wait what it came to: where it failed, a stale value may stand in. */
  settle(outcome: Brought | Failed, clock: Clock): void {
    this.outcome = outcome
    if ('failure' in outcome) {
      const stale = this.standIn(clock)
      const reason = this.loadedAt === 0 ? 'held-off' : 'error'
      if (stale !== undefined) this.outcome = { stale, reason, error: outcome.failure }
    }
    this.settled = true
    this.hasRead()
    this.#asked?.landing?.resolve(this.outcome)
    this.onEnd?.()
  }

  /** Gives the load up: its loader is told, those who wait get `reason`, and what it still brings is dropped. */
  abort(reason: unknown, clock: Clock): void {
    this.settle({ failure: reason }, clock)
    this.#more.reason = { error: reason }
    this.#asked?.controller?.abort(reason)
    this.onAbort?.(reason)
  }
}
