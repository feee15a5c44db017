import { anyOf, wrong } from './checks.js'

/** Every event a cache tells of, by name. Keys are as the caller gave them; `namespace` is `''` for the root. */
export interface CacheEvents {
  /** A fresh answer from the store. `tier` names the tier that had it. */
  hit: KeyEvent & { readonly tier: string }
  /**
   * A stale answer, because the load failed (`'error'`), is slow (`'timeout'`) or is not tried (`'held-off'`).
   * `joined`: another caller was loading it already.
   */
  staleHit: KeyEvent & {
    readonly reason: 'error' | 'timeout' | 'held-off'
    readonly error?: unknown
    readonly joined: boolean
  }
  /** No answer from the store. `joined`: another caller was loading it already. */
  miss: KeyEvent & { readonly joined: boolean }
  /** A loader answered. `background`: nobody was waiting for it when it began. */
  load: KeyEvent & { readonly ms: number; readonly background: boolean }
  /** A loader failed, was aborted, or took longer than `timeouts.load`. */
  loadError: KeyEvent & { readonly ms: number; readonly background: boolean; readonly error: unknown }
  /** `loadMany` has answered without the key: the origin does not have it. */
  absent: KeyEvent & { readonly ms: number; readonly background: boolean }
  /** A loaded value was not kept, because its key or a tag changed while it was loading. */
  fenced: KeyEvent
  /** Somebody set a value. */
  set: KeyEvent
  /** Somebody deleted a key. */
  delete: KeyEvent
  /** Somebody made an entry stale. */
  expire: KeyEvent & { readonly found: boolean }
  /** The store dropped an entry for want of room. */
  evict: KeyEvent
  /** Somebody invalidated tags. */
  invalidate: { readonly namespace: string; readonly tags: readonly string[] }
  /** Somebody cleared a namespace, or with `pattern` the keys that match. */
  clear: { readonly namespace: string; readonly pattern?: string }
  /** What was stored could not be used, and is a miss: bytes that do not decode, a schema or a migration that refused. */
  poisoned: KeyEvent & { readonly error: unknown }
  /** The store was given up after failures in a row, is being tried with one call, or is back. */
  circuit: { readonly state: 'open' | 'half-open' | 'closed' }
  /** Something failed that no caller is told of: a store call, a write behind a load, a listener. */
  error: { readonly error: unknown; readonly during: string; readonly key?: string }
}

/** What events about one key have in common. */
export interface KeyEvent {
  readonly key: string
  readonly namespace: string
}

export type EventName = keyof CacheEvents

/** Every event of a cache. */
export const eventNames: readonly EventName[] = [
  'hit',
  'staleHit',
  'miss',
  'load',
  'loadError',
  'absent',
  'fenced',
  'set',
  'delete',
  'expire',
  'evict',
  'invalidate',
  'clear',
  'poisoned',
  'circuit',
  'error',
]

/** Is told of one kind of event. What it throws or rejects with becomes an `error` event. */
export type Listener<E extends EventName> = (event: CacheEvents[E]) => void

/** Who listens to what. Nothing is made for an event nobody listens to. */
export class Events {
  // One list an event, replaced on change: a listener that leaves while being told disturbs nobody.
  readonly #listeners = new Map<EventName, readonly Listener<never>[]>()

  on<E extends EventName>(name: E, listener: Listener<E>): () => void {
    if (!eventNames.includes(name)) wrong('event', anyOf(eventNames), name)
    // Wrapped, so that one function can be added twice and removed once.
    const mine: Listener<E> = (event) => listener(event)
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), mine])
    return () => {
      const left = (this.#listeners.get(name) ?? []).filter((other) => other !== mine)
      if (left.length === 0) this.#listeners.delete(name)
      else this.#listeners.set(name, left)
    }
  }

  has(name: EventName): boolean {
    return this.#listeners.has(name)
  }

  /** Tells everyone; call it where `has` said somebody listens, or where the event is made anyway. */
  emit<E extends EventName>(name: E, event: CacheEvents[E]): void {
    for (const listener of (this.#listeners.get(name) ?? []) as readonly Listener<E>[]) {
      try {
        const answer = listener(event) as unknown
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(name, error))
      } catch (error) {
        this.#failed(name, error)
      }
    }
  }

  #failed(name: EventName, error: unknown): void {
    // A failing error listener has nobody left to tell.
    if (name !== 'error') this.emit('error', { error, during: `listener of '${name}'` })
  }
}
