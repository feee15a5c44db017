/*
 * Longer than most, because it is one thing: the calls of a journal, each beside how its script's answer is read.
 */
import {
  CacheError,
  type ClaimedWrite,
  type Codec,
  type DeadLetter,
  type Journal,
  type JournalCounts,
  type JournaledWrite,
  type JournalFailure,
  type JournalOperation,
  type JournalReceipt,
  type JournalWrite,
  toMs,
} from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'
import { limited } from '../codecs/limited.js'
import { escapeKey, unescapeKey } from '../layout.js'
import type { Argument } from '../script-call.js'
import type { Script } from '../scripts.js'
import { JournalLink } from './journal-link.js'
import { checkJournalOptions, type RedisJournalOptions } from './journal-options.js'
import * as scripts from './journal-scripts.js'

/** A journal that processes share. */
export interface RedisJournal extends Journal {
  /**
   * Resolves once the server was reached and may keep a journal. One that may evict keys is `ERR_JOURNAL`, for this
   * and every other call; one that is away as well, until it is back.
   */
  open(): Promise<void>
}

/** How many dead letters one step takes. */
const step = 500

/**
 * A journal in Redis or Valkey, which processes share: what one that died had accepted or claimed is done by another.
 * One server, Sentinel, or one slot of a Cluster.
 *
 * Each call is one script, so it happens whole or not at all. What it survives is what the server survives: see
 * `docs/write-behind.md`. The server must not evict keys (`maxmemory-policy noeviction`, or no `maxmemory`). Calls that
 * fail are `ERR_JOURNAL`; a `put` whose answer was lost may have been accepted.
 */
export function redisJournal(options: RedisJournalOptions = {}): RedisJournal {
  return new SharedJournal(options)
}

class SharedJournal implements RedisJournal {
  readonly #link: JournalLink
  readonly #codec: Codec
  readonly #disk: boolean
  readonly #replicas: number
  readonly #wait: number
  #closed = false

  constructor(options: RedisJournalOptions) {
    checkJournalOptions(options)
    const {
      prefix = 'flow-cache:journal:',
      codec = plainCodec,
      maxValueBytes = 16 * 2 ** 20,
      confirm = {},
    } = options
    this.#codec = limited(codec, maxValueBytes)
    this.#disk = confirm.disk ?? false
    this.#replicas = confirm.replicas ?? 0
    this.#wait = Math.ceil(toMs(confirm.timeout ?? '1s', 'confirm.timeout'))
    const keys = ['o', 'd', 'x', 'c', 'a', 'e', 's'].map((part) => `${prefix}{j}${part}|`)
    this.#link = new JournalLink(options, keys, prefix, 2_000 + this.#wait)
  }

  open(): Promise<void> {
    return this.#link.open()
  }

  async put(key: string, operation: JournalOperation, limit: number): Promise<number | undefined> {
    this.#assertOpen()
    const value = operation.kind === 'put' ? bytesOf(this.#codec.encode(operation.value, key)) : ''
    const kind = operation.kind === 'put' ? 1 : 0
    const answer = (await this.#script(scripts.put, () => [
      escapeKey(key),
      kind,
      value,
      Math.min(limit, 1e15),
      this.#link.deadline,
    ])) as Buffer | null
    if (answer === null) return undefined
    await this.#confirm(key)
    return Number(answer.toString())
  }

  async claim(limit: number, leaseMs: number): Promise<ClaimedWrite[]> {
    const answer = (await this.#script(scripts.claim, [limit, Math.round(leaseMs * 1_000)])) as Buffer[]
    const writes: ClaimedWrite[] = []
    for (let i = 0; i < answer.length; i += 3) {
      const [field, op, attempts] = answer.slice(i, i + 3)
      const key = keyOf(field!)
      try {
        writes.push({ ...this.#write(key, op!), attempts: Number(String(attempts)) })
      } catch (error) {
        // Nobody will ever be able to write it, and it shall not hold up the others.
        const message = `the value cannot be decoded: ${(error as Error).message}`
        await this.fail([{ key, sequence: op!.readDoubleBE(0), error: message, retryIn: 'never' }])
      }
    }
    return writes
  }

  async ack(done: readonly JournalReceipt[]): Promise<void> {
    for (const part of partsOf(done)) {
      await this.#script(
        scripts.ack,
        part.flatMap(({ key, sequence }) => [escapeKey(key), sequence]),
      )
    }
  }

  async fail(failures: readonly JournalFailure[]): Promise<void> {
    for (const part of partsOf(failures)) {
      const args = part.flatMap(({ key, sequence, error, retryIn }) => [
        escapeKey(key),
        sequence,
        error === undefined ? 0 : 1,
        error ?? '',
        retryIn === 'never' ? -1 : Math.round(retryIn * 1_000),
      ])
      await this.#script(scripts.fail, args)
    }
  }

  async read(keys: readonly string[]): Promise<Map<string, JournaledWrite>> {
    const found = new Map<string, JournaledWrite>()
    this.#assertOpen()
    for (const part of partsOf(keys)) {
      const answer = (await this.#script(scripts.read, part.map(escapeKey))) as (Buffer | number | null)[]
      part.forEach((key, i) => {
        const op = answer[2 * i] as Buffer | null
        if (op !== null) found.set(key, { ...this.#write(key, op), dead: answer[2 * i + 1] === 1 })
      })
    }
    return found
  }

  async deadLetters(limit: number): Promise<DeadLetter[]> {
    const answer = (await this.#script(scripts.deadLetters, [Math.min(limit, 1e9)])) as Buffer[]
    const letters: DeadLetter[] = []
    for (let i = 0; i < answer.length; i += 4) {
      const [field, op, attempts, failure] = answer.slice(i, i + 4)
      const text = String(failure)
      const space = text.indexOf(' ')
      const key = keyOf(field!)
      letters.push({
        ...this.#letter(key, op!),
        attempts: Number(String(attempts)),
        failedAt: Number(text.slice(0, space)) / 1_000,
        error: text.slice(space + 1),
      })
    }
    return letters
  }

  retry(keys?: readonly string[]): Promise<string[]> {
    return this.#ofDead(scripts.retry, keys)
  }

  drop(keys?: readonly string[]): Promise<string[]> {
    return this.#ofDead(scripts.drop, keys)
  }

  async counts(): Promise<JournalCounts> {
    const answer = (await this.#script(scripts.counts, [])) as number[]
    const [accepted, applied, coalesced, dropped, pending, deadLettered] = answer as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    return { accepted, applied, coalesced, pending, deadLettered, dropped }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#link.close()
  }

  async #ofDead(script: Script, keys: readonly string[] | undefined): Promise<string[]> {
    this.#assertOpen()
    const done: string[] = []
    const run = async (...args: readonly (string | number)[]): Promise<number> => {
      const taken = (await this.#script(script, args)) as Buffer[]
      done.push(...taken.map(keyOf))
      return taken.length
    }
    if (keys === undefined) while ((await run(step)) === step);
    else for (const part of partsOf(keys)) await run(0, ...part.map(escapeKey))
    return done
  }

  /** What cannot be decoded is listed without its value. */
  #letter(key: string, op: Buffer): JournalWrite {
    try {
      return this.#write(key, op)
    } catch {
      return { kind: 'put', key, sequence: op.readDoubleBE(0), value: undefined }
    }
  }

  #write(key: string, op: Buffer): JournalWrite {
    const sequence = op.readDoubleBE(0)
    if (op[8] === 0) return { kind: 'delete', key, sequence }
    return { kind: 'put', key, sequence, value: this.#codec.decode(op.subarray(scripts.opHead), key) }
  }

  async #script(script: Script, args: readonly Argument[] | (() => readonly Argument[])): Promise<unknown> {
    this.#assertOpen()
    return this.#link.script(script, args)
  }

  /** On the connection of the write itself: what it waits for is everything that connection has written. */
  async #confirm(key: string): Promise<void> {
    if (!this.#disk && this.#replicas === 0) return
    const answer = this.#disk
      ? await this.#link.command('WAITAOF', 1, this.#replicas, this.#wait)
      : await this.#link.command('WAIT', this.#replicas, this.#wait)
    const [disks, replicas] = this.#disk ? (answer as [number, number]) : [1, answer as number]
    if (disks >= 1 && replicas >= this.#replicas) return
    throw new CacheError(
      'ERR_JOURNAL',
      `not confirmed within ${this.#wait} ms: ${disks === 0 ? 'the disk has not got it' : `${replicas} of ${this.#replicas} replicas have it`}`,
      { key },
    )
  }

  #assertOpen(): void {
    if (this.#closed) throw new CacheError('ERR_CLOSED', 'the journal is closed')
  }
}

const keyOf = (field: Buffer): string => unescapeKey(field.toString())

const bytesOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** In parts that do not hold up the server. */
function partsOf<T>(all: readonly T[]): readonly T[][] {
  const parts: T[][] = []
  for (let at = 0; at < all.length; at += step) parts.push(all.slice(at, at + step))
  return parts
}
