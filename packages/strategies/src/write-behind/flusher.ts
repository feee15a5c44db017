import type { ClaimedWrite, Timer } from '@flow-cache/core'
import { Applying } from './applying.js'
import type { FlushReport, WriteBehindEvents } from './events.js'
import type { Listeners } from './listeners.js'
import type { Settings } from './options.js'
import { Slots } from './slots.js'

/**
 * Brings pending operations to the origin, pass by pass. A pass claims as many as were pending when it began, so it
 * ends however fast new ones come; the next one begins with the next timer.
 */
export class Flusher<V> {
  readonly #settings: Settings<V>
  readonly #listeners: Listeners<WriteBehindEvents>
  readonly #applying: Applying<V>
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #timer: Timer
  #timerAt = Infinity
  #pass: Promise<FlushReport> | undefined
  #next: Promise<FlushReport> | undefined

  constructor(settings: Settings<V>, listeners: Listeners<WriteBehindEvents>, onRoom: () => void) {
    this.#settings = settings
    this.#listeners = listeners
    const slots = new Slots(settings.concurrency)
    this.#applying = new Applying(settings, slots, listeners, this.#closing.signal, onRoom)
    // What a shared journal has from others, and what was left by a run before.
    this.wake(settings.flushInterval)
  }

  /** How many operations the origin has taken from this process. */
  get applied(): number {
    return this.#applying.applied
  }

  /** Begins a pass in `ms`, or earlier if one is due earlier. */
  wake(ms: number): void {
    const { clock } = this.#settings
    const at = clock.now() + ms
    if (at >= this.#timerAt || this.#closing.signal.aborted) return
    clock.clearTimer(this.#timer)
    this.#timerAt = at
    this.#timer = clock.setTimer(
      () => {
        this.#timerAt = Infinity
        void this.#tick()
      },
      ms,
      false,
    )
  }

  /** A pass that begins after this call: one that runs may have passed by what was accepted just now. */
  flush(): Promise<FlushReport> {
    if (this.#pass === undefined) return this.#begin()
    this.#next ??= this.#pass.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  async #tick(): Promise<void> {
    const rest = this.#applying.restUntil - this.#settings.clock.now()
    // What fails is told as an event.
    if (rest <= 0) await this.flush().catch(() => undefined)
    else this.wake(rest)
  }

  /** Ends for good: calls under way are aborted, no timer is left. */
  async stop(reason: unknown): Promise<void> {
    this.#closing.abort(reason)
    this.#settings.clock.clearTimer(this.#timer)
    this.#timerAt = Infinity
    await Promise.allSettled([...this.#running, this.#pass])
  }

  /** When something that failed is to be tried again, in milliseconds from now; 0 if that has passed. */
  get untilRetry(): number {
    const { nextRetry, restUntil } = this.#applying
    return Math.max(0, (restUntil || nextRetry) - this.#settings.clock.now())
  }

  #begin(): Promise<FlushReport> {
    this.#next = undefined
    const pass = this.#run().finally(() => {
      if (this.#pass === pass) this.#pass = undefined
    })
    this.#pass = pass
    return pass
  }

  async #run(): Promise<FlushReport> {
    const { journal } = this.#settings
    const before = this.applied
    try {
      this.#applying.nextRetry = Infinity
      const { pending } = await journal.counts()
      await this.#claimAll(pending)
      const counts = await journal.counts()
      const report = { flushed: this.applied - before, pending: counts.pending, dead: counts.deadLettered }
      this.#listeners.emit('flush', report)
      if (counts.pending > 0) this.wake(this.#untilNext())
      return report
    } catch (error) {
      this.#listeners.emit('error', { error, during: 'flush' })
      throw error
    } finally {
      // A shared journal may have work of others at any time.
      this.wake(this.#settings.flushInterval || idle)
    }
  }

  #untilNext(): number {
    const { flushInterval } = this.#settings
    return Math.min(flushInterval || idle, Math.max(1, this.untilRetry))
  }

  async #claimAll(pending: number): Promise<void> {
    const { journal, maxBatch, lease, clock, concurrency } = this.#settings
    for (let budget = pending; budget > 0 && !this.#closing.signal.aborted;) {
      const probing = this.#applying.isDown
      if (probing) this.#applying.probe()
      const leaseEnd = clock.now() + lease
      const claimed = (await journal.claim(
        probing ? 1 : Math.min(maxBatch, budget),
        lease,
      )) as readonly ClaimedWrite<V>[]
      if (claimed.length === 0) break
      budget -= claimed.length
      const work = this.#applying.apply(claimed, leaseEnd).finally(() => this.#running.delete(work))
      this.#running.add(work)
      if (probing) {
        await work
        if (this.#applying.isDown) break
      } else if (this.#running.size >= concurrency) await Promise.race(this.#running)
      if (this.#applying.isDown && !probing) await Promise.all(this.#running)
    }
    await Promise.all(this.#running)
  }
}

/** How often a journal is looked at when nothing says when. */
const idle = 1_000
