import { CacheError, type ClaimedWrite, type JournalFailure } from '@flow-cache/core'
import { checkAtOnce } from '../checks.js'
import type { WriteBehindEvents } from './events.js'
import type { Listeners } from './listeners.js'
import type { Settings } from './options.js'
import type { Slots } from './slots.js'

/** After how many failures in a row, of single writes, the origin is taken to be down. */
const downAfter = 3

/**
 * Brings claimed operations to the origin and tells the journal what became of them.
 *
 * Puts go together where the origin has `writeMany`. A call that rejects is halved and tried again, down to the key
 * that it rejects for, so that one key blocks only itself; an operation that has failed before goes alone. Once the
 * origin seems down, what is left is given back untried.
 */
export class Applying<V> {
  readonly #settings: Settings<V>
  readonly #slots: Slots
  readonly #listeners: Listeners<WriteBehindEvents>
  readonly #closing: AbortSignal
  readonly #onRoom: () => void
  #streak = 0
  #probing = false
  #restUntil = 0
  #applied = 0
  /** When the first of those that failed may be tried again. */
  nextRetry: number = Infinity

  constructor(
    settings: Settings<V>,
    slots: Slots,
    listeners: Listeners<WriteBehindEvents>,
    closing: AbortSignal,
    onRoom: () => void,
  ) {
    this.#settings = settings
    this.#slots = slots
    this.#listeners = listeners
    this.#closing = closing
    this.#onRoom = onRoom
  }

  /** How many operations the origin has taken from this process. */
  get applied(): number {
    return this.#applied
  }

  get isDown(): boolean {
    return this.#streak >= downAfter
  }

  /** When an origin that is down is to be asked again. Whichever key asks it: the pause grows with every failure. */
  get restUntil(): number {
    return this.isDown ? this.#restUntil : 0
  }

  /** `leaseEnd`: no call begins that could end after it. */
  async apply(claimed: readonly ClaimedWrite<V>[], leaseEnd: number): Promise<void> {
    const together: Put<V>[] = []
    const alone: ClaimedWrite<V>[] = []
    const batches = this.#settings.origin.writeMany !== undefined
    for (const write of claimed) {
      if (batches && write.kind === 'put' && write.attempts === 0) together.push(write)
      else alone.push(write)
    }
    await Promise.all([this.#many(together, leaseEnd), ...alone.map((write) => this.#one(write, leaseEnd))])
  }

  async #many(puts: readonly Put<V>[], leaseEnd: number): Promise<void> {
    if (puts.length === 0) return
    if (puts.length === 1) return this.#one(puts[0]!, leaseEnd)
    const { origin } = this.#settings
    const failed = await this.#slots.run(async () => {
      if (!this.#mayBegin(leaseEnd)) return this.#untried(puts)
      const error = await this.#call((signal) =>
        origin.writeMany!(
          puts.map(({ key, value }) => [key, value]),
          {
            signal,
            sequences: puts.map(({ sequence }) => sequence),
            idempotencyKeys: puts.map(idempotencyKey),
          },
        ),
      )
      if (error === undefined) await this.#done(puts)
      return error !== undefined
    })
    if (failed !== true) return
    const half = puts.length >> 1
    await this.#many(puts.slice(0, half), leaseEnd)
    await this.#many(puts.slice(half), leaseEnd)
  }

  #one(write: ClaimedWrite<V>, leaseEnd: number): Promise<void> {
    const { origin } = this.#settings
    const { key, sequence } = write
    return this.#slots.run(async () => {
      if (!this.#mayBegin(leaseEnd)) return this.#untried([write])
      const failure = await this.#call((signal) => {
        const call = { signal, sequence, idempotencyKey: idempotencyKey(write) }
        return write.kind === 'put' ? origin.write(key, write.value, call) : origin.delete(key, call)
      })
      return failure === undefined ? this.#done([write]) : this.#failed(write, failure.error)
    })
  }

  #mayBegin(leaseEnd: number): boolean {
    if (this.#closing.aborted || (this.isDown && !this.#probing)) return false
    this.#probing = false
    const { clock, timeout } = this.#settings
    return timeout === Infinity || clock.now() + timeout <= leaseEnd
  }

  /** Lets one call through although the origin seems down. */
  probe(): void {
    this.#probing = true
  }

  /** One call of the origin; `undefined` if it worked. */
  async #call(
    begin: (signal: AbortSignal) => PromiseLike<void> | void,
  ): Promise<{ error: unknown } | undefined> {
    const { clock, timeout } = this.#settings
    const control = new AbortController()
    const abort = (): void => control.abort(this.#closing.reason)
    this.#closing.addEventListener('abort', abort)
    let timer: unknown
    try {
      const work = (async () => begin(control.signal))()
      const ended = new Promise<never>((_, reject) => {
        control.signal.addEventListener('abort', () => reject(control.signal.reason as Error))
      })
      if (timeout !== Infinity) {
        timer = clock.setTimer(
          () => control.abort(new CacheError('ERR_TIMEOUT', `the origin took longer than ${timeout} ms`)),
          timeout,
          true,
        )
      }
      await Promise.race([work, ended])
      return undefined
    } catch (error) {
      return { error }
    } finally {
      clock.clearTimer(timer)
      this.#closing.removeEventListener('abort', abort)
    }
  }

  async #done(writes: readonly ClaimedWrite<V>[]): Promise<void> {
    if (this.isDown) this.#listeners.emit('originUp', { failures: this.#streak })
    this.#streak = 0
    this.#applied += writes.length
    if (this.#listeners.has('apply')) {
      for (const { key, sequence, kind } of writes) this.#listeners.emit('apply', { key, sequence, kind })
    }
    await this.#tell('ack', () => this.#settings.journal.ack(writes.map(receiptOf)))
    this.#onRoom()
  }

  async #failed(write: ClaimedWrite<V>, error: unknown): Promise<void> {
    // What close has cut off says nothing of the key.
    if (this.#closing.aborted) return this.#untried([write])
    const { key, sequence, kind } = write
    const attempts = write.attempts + 1
    if (++this.#streak === downAfter) this.#listeners.emit('originDown', { error })
    const isDead = attempts >= this.#settings.attempts || !this.#isRetryable(error, key)
    const delayMs = isDead ? 0 : this.#pause(attempts)
    if (this.isDown) this.#restUntil = this.#settings.clock.now() + this.#pause(this.#streak)
    await this.#giveBack([{ key, sequence, error: textOf(error), retryIn: isDead ? 'never' : delayMs }])
    if (isDead) this.#listeners.emit('deadLetter', { key, sequence, kind, attempts, error })
    else {
      this.nextRetry = Math.min(this.nextRetry, this.#settings.clock.now() + delayMs)
      this.#listeners.emit('retry', { key, sequence, kind, attempts, delayMs, error })
    }
  }

  /** A random share of a length that doubles. (Brooker, "Exponential Backoff And Jitter", 2015: full jitter.) */
  #pause(attempts: number): number {
    const { minDelay, maxDelay, random } = this.#settings
    return Math.min(minDelay * 2 ** (attempts - 1), maxDelay) * random()
  }

  #isRetryable(error: unknown, key: string): boolean {
    try {
      return checkAtOnce(this.#settings.retryable(error, key), 'retry.retryable')
    } catch (thrown) {
      this.#listeners.emit('error', { error: thrown, during: 'retryable', key })
      return true
    }
  }

  async #untried(writes: readonly ClaimedWrite<V>[]): Promise<void> {
    await this.#giveBack(writes.map((write) => ({ ...receiptOf(write), retryIn: 0 })))
  }

  #giveBack(failures: readonly JournalFailure[]): Promise<void> {
    return this.#tell('fail', () => this.#settings.journal.fail(failures))
  }

  /** A journal that cannot be told keeps the operations claimed, and hands them out again when the lease ends. */
  async #tell(during: string, call: () => PromiseLike<void> | void): Promise<void> {
    try {
      await call()
    } catch (error) {
      if (!this.#closing.aborted) this.#listeners.emit('error', { error, during: `journal ${during}` })
    }
  }
}

type Put<V> = Extract<ClaimedWrite<V>, { kind: 'put' }>

const receiptOf = ({ key, sequence }: ClaimedWrite): { key: string; sequence: number } => ({ key, sequence })

const idempotencyKey = ({ key, sequence }: ClaimedWrite): string => `${key}:${sequence}`

/** What a dead letter shows of an error. */
const textOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000)
