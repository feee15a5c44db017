/*
 * Longer than most, because it is one machine: the states a row may be in, and every way from one to another. Whoever
 * changes one of them wants to see the others.
 */
import {
  type Clock,
  type JournalCounts,
  type JournalFailure,
  type JournalReceipt,
  UnderWay,
} from '@flow-cache/core'
import { DueHeap } from './due-heap.js'
import { type Queued, RowQueue } from './row-queue.js'

/** What the table has of one key. `V` is what its journal keeps: a value, or bytes. */
export interface Row<V> extends Queued {
  readonly key: string
  sequence: number
  kind: 'put' | 'delete'
  value: V | undefined
  attempts: number
  state: 'ready' | 'claimed' | 'waiting' | 'dead'
  /** The sequence that was handed out, while it is claimed. */
  claimed: number
  /** Until when it is claimed or waits. */
  until: number
  error: string
  failedAt: number
}

/** A row as a checkpoint has it. */
export type StoredRow<V> = Pick<
  Row<V>,
  'key' | 'sequence' | 'kind' | 'value' | 'attempts' | 'error' | 'failedAt'
> & { readonly dead: boolean }

/**
 * The operations of a journal in this process: one row a key, and who comes next. Every call costs the same however
 * many rows there are.
 */
export class PendingTable<V> {
  readonly #clock: Pick<Clock, 'now'>
  readonly #rows = new UnderWay<Row<V>>()
  readonly #ready = new RowQueue<Row<V>>()
  /** In the order in which they were claimed; with one length of lease, also the order in which that ends. */
  readonly #claimed = new RowQueue<Row<V>>()
  readonly #waiting = new DueHeap<Row<V>>()
  readonly #dead = new RowQueue<Row<V>>()
  #accepted = 0
  #applied = 0
  #coalesced = 0
  #dropped = 0
  #last: number

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#last = Math.floor(clock.now() * 1_000)
  }

  /** The sequence given last. */
  get last(): number {
    return this.#last
  }

  /** How many keys it has. */
  get size(): number {
    return this.#rows.size
  }

  nextSequence(): number {
    return ++this.#last
  }

  /** Whether an operation of this key finds room: a key of which there is one already takes no more. */
  hasRoom(key: string, limit: number): boolean {
    return this.#rows.size < limit || this.#rows.get(key) !== undefined
  }

  get(key: string): Row<V> | undefined {
    return this.#rows.get(key)
  }

  put(key: string, sequence: number, kind: 'put' | 'delete', value: V | undefined): void {
    this.#last = Math.max(this.#last, sequence)
    this.#accepted++
    const row = this.#rows.get(key)
    if (row === undefined) {
      this.#add(key, sequence, kind, value)
      return
    }
    this.#coalesced++
    row.sequence = sequence
    row.kind = kind
    row.value = value
    row.attempts = 0
    if (row.state === 'dead') this.#makeReady(row)
  }

  claim(limit: number, leaseMs: number): Row<V>[] {
    const now = this.#clock.now()
    this.#release(now)
    const rows: Row<V>[] = []
    for (let row = this.#ready.first; row !== undefined && rows.length < limit; row = this.#ready.first) {
      this.#ready.remove(row)
      row.state = 'claimed'
      row.claimed = row.sequence
      row.until = now + leaseMs
      this.#claimed.add(row)
      rows.push(row)
    }
    return rows
  }

  ack({ key, sequence }: JournalReceipt): void {
    const row = this.#rows.get(key)
    if (row?.sequence === sequence) {
      this.#remove(row)
      this.#applied++
    } else if (row?.state === 'claimed' && row.claimed === sequence) this.#makeReady(row)
  }

  fail({ key, sequence, error, retryIn }: JournalFailure, failedAt: number = this.#clock.now()): void {
    const row = this.#rows.get(key)
    if (row === undefined || row.state === 'dead') return
    const isCurrent = row.sequence === sequence
    // Neither the one it has nor the one that is being done: of a claim whose time was over.
    if (!isCurrent && !(row.state === 'claimed' && row.claimed === sequence)) return
    if (isCurrent && error !== undefined) {
      row.attempts++
      row.error = error
      row.failedAt = failedAt
    }
    if (retryIn === 'never') {
      if (isCurrent) this.#bury(row)
      else this.#makeReady(row)
    } else if (retryIn > 0) {
      this.#leave(row)
      row.state = 'waiting'
      row.until = this.#clock.now() + retryIn
      this.#waiting.add(row.until, row)
    } else this.#makeReady(row)
  }

  /** The dead letters, the oldest first. */
  get dead(): Iterable<Row<V>> {
    return this.#dead
  }

  /** Those of the keys that are dead letters; all when left out. */
  deadKeys(keys: readonly string[] | undefined): string[] {
    if (keys === undefined) return Array.from(this.#dead, ({ key }) => key)
    return [...new Set(keys)].filter((key) => this.#rows.get(key)?.state === 'dead')
  }

  retry(key: string): void {
    const row = this.#rows.get(key)
    if (row?.state !== 'dead') return
    row.attempts = 0
    this.#makeReady(row)
  }

  drop(key: string): void {
    const row = this.#rows.get(key)
    if (row?.state !== 'dead') return
    this.#remove(row)
    this.#dropped++
  }

  counts(): JournalCounts {
    const deadLettered = this.#dead.size
    return {
      accepted: this.#accepted,
      applied: this.#applied,
      coalesced: this.#coalesced,
      pending: this.#rows.size - deadLettered,
      deadLettered,
      dropped: this.#dropped,
    }
  }

  /** Every row as it is now, for a checkpoint: what is being done is pending to whoever reads it. */
  rows(): StoredRow<V>[] {
    // In the order of their keys' waiting, as near as that is known.
    return Array.from(this.#rows, ([, { key, sequence, kind, value, attempts, state, error, failedAt }]) => ({
      key,
      sequence,
      kind,
      value,
      attempts,
      error,
      failedAt,
      dead: state === 'dead',
    }))
  }

  /** Fills an empty table with what a checkpoint has. */
  restore(rows: Iterable<StoredRow<V>>, counts: JournalCounts, last: number): void {
    for (const { key, sequence, kind, value, attempts, error, failedAt, dead } of rows) {
      const row = this.#add(key, sequence, kind, value)
      row.attempts = attempts
      row.error = error
      row.failedAt = failedAt
      if (dead) this.#bury(row)
    }
    this.#accepted = counts.accepted
    this.#applied = counts.applied
    this.#coalesced = counts.coalesced
    this.#dropped = counts.dropped
    this.#last = Math.max(this.#last, last)
  }

  #add(key: string, sequence: number, kind: 'put' | 'delete', value: V | undefined): Row<V> {
    // One literal, so that all rows have one shape and no more room than they need.
    const row: Row<V> = {
      key,
      sequence,
      kind,
      value,
      attempts: 0,
      state: 'ready',
      claimed: 0,
      until: 0,
      error: '',
      failedAt: 0,
      before: undefined,
      after: undefined,
    }
    this.#rows.set(key, row)
    this.#ready.add(row)
    return row
  }

  /** Makes ready what has waited long enough, and what was claimed by somebody who is not heard of any more. */
  #release(now: number): void {
    for (let due = this.#waiting.take(now); due !== undefined; due = this.#waiting.take(now)) {
      const { at, what: row } = due
      if (row.state === 'waiting' && row.until === at) this.#makeReady(row)
    }
    for (let row = this.#claimed.first; row !== undefined && row.until <= now; row = this.#claimed.first) {
      this.#makeReady(row)
    }
  }

  #makeReady(row: Row<V>): void {
    if (row.state === 'ready') return
    this.#leave(row)
    row.state = 'ready'
    this.#ready.add(row)
  }

  #bury(row: Row<V>): void {
    this.#leave(row)
    row.state = 'dead'
    this.#dead.add(row)
  }

  #remove(row: Row<V>): void {
    this.#leave(row)
    this.#rows.delete(row.key)
    // What the heap still has of it is not this state any more.
    row.state = 'ready'
  }

  #leave(row: Row<V>): void {
    if (row.state === 'ready') this.#ready.remove(row)
    else if (row.state === 'claimed') this.#claimed.remove(row)
    else if (row.state === 'dead') this.#dead.remove(row)
  }
}
