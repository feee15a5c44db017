import {
  type Acquired,
  CacheError,
  type Clock,
  type Codec,
  type Entry,
  escapeGlob,
  matchGlob,
  type Store,
  systemClock,
  timeoutFor,
  toMs,
} from '@flow-cache/core'
import { Calls, notText } from './calls.js'
import { ChangeLog } from './change-log.js'
import { checkOptions } from './check-options.js'
import { storeCodec } from './codecs/store-codec.js'
import { isCluster, isClusterOf } from './connection.js'
import {
  checkToken,
  frameOf,
  LastDetails,
  type Lease,
  leasesOf,
  longestLease,
  parseFrame,
  poisoned,
  stayUntil,
} from './frame.js'
import { escapeKey, type Layout, layoutOf, loggedKey, unescapeKey } from './layout.js'
import { Link } from './link.js'
import type { RedisStoreOptions } from './options.js'
import { RedisTags } from './redis-tags.js'
import type { Argument } from './script-call.js'
import * as scripts from './scripts.js'
import { type Kind, Turn } from './turn.js'
import { word } from './word.js'

/** How many keys one step of a scan asks for, and one step of a removal takes. */
const step = 500

/** How many keys one command reads or lends: the server does nothing else meanwhile. */
const mostTogether = 250

/**
 * A store over Redis or Valkey: one server, Sentinel or a Cluster. Every group of the contract but `local` and
 * `evictions`.
 *
 * An entry is one key: a fixed head, which carries the lease too, and the codec's bytes. All reads of one turn are one
 * `MGET`, all leases taken in one turn are one script, and so are all values stored because their lease still stands;
 * on a Cluster, where a command is for one slot, each key has its own. Changes and their place in the log are one step, except on a Cluster,
 * where the log comes after (see `docs/guarantees.md`). Every key has a time to live.
 *
 * Wrong options are a `TypeError` or a `RangeError` at once. A server that cannot be reached is not: calls fail
 * until it can, and the store connects by itself.
 */
export function redisStore(options: RedisStoreOptions = {}): Store {
  return new RedisStore(options)
}

class RedisStore implements Store {
  readonly tiers = ['redis']
  readonly batch: NonNullable<Store['batch']>
  readonly keys: NonNullable<Store['keys']>
  readonly tags: NonNullable<Store['tags']>
  readonly leases: NonNullable<Store['leases']>
  readonly log: ChangeLog

  readonly #clock: Clock
  readonly #codec: Codec
  readonly #layout: Layout
  readonly #link: Link
  readonly #last: LastDetails = new LastDetails()
  /** As it was given. */
  readonly #ownTimeout: number | undefined
  #timeout: number
  readonly #scripts: scripts.KeyScripts
  readonly #turn: Turn
  readonly #calls: Calls
  readonly #markers: RedisTags

  constructor(options: RedisStoreOptions) {
    checkOptions(options)
    const { prefix = 'flow-cache:', clock = systemClock, logLength = 10_000 } = options
    this.#clock = clock
    this.#codec = storeCodec(options)
    this.#layout = layoutOf(prefix)
    this.#ownTimeout = options.timeout === undefined ? undefined : toMs(options.timeout, 'timeout')
    this.#timeout = this.#ownTimeout ?? 200
    const tagTtl = Math.min(toMs(options.tagTtl ?? '30d', 'tagTtl'), 1e15)
    const maxBlindness = toMs(options.maxBlindness ?? Infinity, 'maxBlindness')
    const heartbeat = toMs(options.heartbeat ?? 500, 'heartbeat')
    this.#scripts = scripts.keyScripts(!isClusterOf(options))
    const all = [...Object.values(this.#scripts), ...scripts.others] as scripts.Script[]
    this.#link = new Link(options, this.#layout, clock, all)
    this.#turn = new Turn(this.#link.clustered ? 1 : mostTogether)
    const me = word()
    this.#calls = new Calls({
      link: this.#link,
      layout: this.#layout,
      turn: this.#turn,
      clock,
      timeout: () => this.#timeout,
      me,
      logLength,
    })
    this.log = new ChangeLog(this.#link, {
      to: options,
      layout: this.#layout,
      clock,
      me,
      heartbeat,
      maxBlindness,
    })
    this.batch = {
      getMany: (keys) => this.#getMany(keys),
      setMany: (entries) => this.#setMany(entries),
      deleteMany: async (keys) => {
        const found = await Promise.all(keys.map((key) => this.delete(key)))
        return found.filter(Boolean).length
      },
    }
    this.keys = { scan: (prefix, glob) => this.#scan(prefix, glob) }
    this.#markers = new RedisTags({
      calls: this.#calls,
      link: this.#link,
      log: this.log,
      layout: this.#layout,
      clock,
      ttl: tagTtl,
    })
    this.tags = {
      position: () => this.#markers.position(),
      versions: (names, since) => this.#markers.versions(names, since),
      invalidate: (names) => this.#markers.invalidate(names),
    }
    this.leases = {
      acquire: (key, token, termMs, always) => this.#acquire(key, token, termMs, always === true),
      commit: (key, token, entry) => this.#commit(key, token, entry),
      renew: (key, token, termMs) => this.#turn.ask(this.#renewals, { key, token, termMs }),
      release: async (key, token) => {
        await this.#turn.ask(this.#releases, { key, token })
      },
      expire: (key) => this.#change(this.#scripts.expire, key, []),
    }
  }

  patience(ms: number): void {
    if (this.#ownTimeout === undefined) this.#timeout = ms
    else if (this.#ownTimeout > ms) {
      throw new RangeError(
        `timeout (${this.#ownTimeout} ms) must not exceed the ${ms} ms after which a call is given up (timeouts.store), or a write would be done later`,
      )
    }
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#turn.ask(this.#reads, key)
  }

  async set(key: string, entry: Entry): Promise<void> {
    await this.#set(key, entry, this.#clock.now() + this.#timeout)
  }

  async #setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    const deadline = this.#clock.now() + timeoutFor(entries.length, this.#timeout)
    // Frames need the server's time. All are made before the first is sent: one may be refused.
    if (this.#link.begun === undefined) await this.#calls.make(() => Promise.resolve())
    const written = entries.map(([key, entry]) => this.#written(key, entry, deadline))
    const sets = entries.map(([key, entry], i) => this.#set(key, entry, deadline, written[i]))
    for (const one of await Promise.allSettled(sets)) if (one.status === 'rejected') throw one.reason
  }

  /**
   * Writes an entry before the deadline or not at all: what fails is told of when it cannot happen any more.
   * `written`: the arguments, where they were made before.
   */
  async #set(key: string, entry: Entry, deadline: number, written?: readonly Argument[]): Promise<void> {
    if (entry.tags !== undefined) this.#markers.touch(entry.tags)
    const write = (): readonly Argument[] => this.#written(key, entry, deadline)
    try {
      await this.#change(this.#scripts.set, key, written ?? write)
    } catch (error) {
      if (isUnknown(error)) await this.#until(deadline)
      if (!isLate(error) || this.#clock.now() >= deadline) throw error
      // It is not: when the server's time was asked for, the answer took long.
      await this.#calls.make(() => this.#link.status(this.#link.client))
      await this.#change(this.#scripts.set, key, write)
    }
  }

  /** Waits for an instant; not for one that never comes. */
  async #until(instant: number): Promise<void> {
    const left = instant - this.#clock.now()
    if (left <= 0 || left === Infinity) return
    await new Promise<void>((resolve) => this.#clock.setTimer(resolve, left, true))
  }

  /** The arguments with which an entry is set. */
  #written(key: string, entry: Entry, deadline: number): readonly Argument[] {
    const { offset, leastOffset } = this.#link.time
    const stay = stayUntil(entry.expiresAt, this.#clock.now())
    return [deadline + leastOffset, stay, stay === 0 ? '' : frameOf(key, entry, this.#codec, offset)]
  }

  async delete(key: string): Promise<boolean> {
    return this.#change(this.#scripts.remove, key, [])
  }

  async clear(prefix = ''): Promise<void> {
    for await (const keys of this.#scanRaw(prefix)) {
      await this.#calls.unlink(keys)
    }
    await this.#tell('c', escapeKey(prefix))
  }

  async close(): Promise<void> {
    this.log.stop()
    return this.#calls.close()
  }

  /** Changes a key and tells the log. `args` may be made once the server's time is known. */
  async #change(
    script: scripts.Script,
    key: string,
    args: readonly Argument[] | (() => readonly Argument[]),
  ): Promise<boolean> {
    const [kind, name] = loggedKey(key)
    const { log, meta } = this.#layout
    const redisKey = this.#keyOf(key)
    this.#turn.flush()
    const answer = await this.#calls
      .make(() => {
        const own = [this.#link.time.now(), ...(typeof args === 'function' ? args() : args)]
        return this.#link.clustered
          ? this.#link.script(script, [redisKey], own)
          : this.#link.script(script, [redisKey, meta, log], [...own, ...this.#calls.signature(), kind, name])
      })
      .catch((error: unknown) => this.#calls.mend(error))
    if (this.#link.clustered) await this.#tell(kind, name)
    return answer === 1
  }

  async #tell(kind: string, name: string): Promise<void> {
    const { meta, log } = this.#layout
    await this.#calls.script(scripts.tell, [meta, log], [...this.#calls.signature(), kind, name])
  }

  #getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  #getAll(redisKeys: readonly string[]): Promise<(Buffer | null)[]> {
    const { client } = this.#link
    if (redisKeys.length > 1) return client.mgetBuffer([...redisKeys])
    return client.getBuffer(redisKeys[0]!).then((bytes) => [bytes])
  }

  #acquire(key: string, token: string, termMs: number, always: boolean): Promise<Acquired> {
    checkToken(token)
    return this.#turn.ask(this.#leasing, { key, token, termMs, always })
  }

  #commit(key: string, token: string, entry: Entry): Promise<boolean> {
    const { expiresAt, tags } = entry
    if (tags !== undefined) this.#markers.touch(tags)
    const { offset } = this.#link.time
    const frame = this.#clock.now() < expiresAt ? frameOf(key, entry, this.#codec, offset) : ''
    return this.#turn.ask(this.#commits, { key, token, until: expiresAt + offset, frame })
  }

  readonly #reads: Kind<string, Buffer | null, Entry | undefined> = {
    send: (keys) => this.#calls.make(() => this.#getAll(keys.map((key) => this.#keyOf(key)))),
    read: (key, bytes) => (bytes === null ? undefined : this.#entryOf(key, bytes)),
  }

  readonly #leasing: Kind<Lent & { readonly always: boolean }, Lending, Acquired> = {
    send: (asked) => {
      const always = asked.map((one) => (one.always ? 1 : 0)).join('')
      return this.#eachKey(scripts.acquire, asked, endOfTerm, [always])
    },
    read: ({ key }, answer) => {
      if (answer === 1) return lentAlone
      const [status, bytes] = answer
      if (bytes === undefined) throw notText()
      const frame = this.#parse(key, bytes)
      const now = this.#clock.now()
      const entry = living(frame.entry, now)
      if (status === 1) return { status: 'leased', entry }
      if (status === 0 && entry !== undefined) return { status: 'fresh', entry }
      const remainingMs = Math.max(1, frame.leaseUntil - now)
      if (remainingMs > 2 * longestLease) throw poisoned(key, 'are damaged: a lease that does not end')
      return { status: 'taken', entry, remainingMs }
    },
  }

  readonly #commits: Kind<Commit, number, boolean> = {
    send: (asked) => {
      const frames = asked.map(({ frame }) => frame)
      return this.#eachKey(scripts.commit, asked, ({ until }) => until, frames)
    },
    read: isOne,
  }

  readonly #renewals: Kind<Lent, number, boolean> = {
    send: (asked) => this.#eachKey(scripts.renew, asked, endOfTerm, []),
    read: isOne,
  }

  readonly #releases: Kind<Held, number, boolean> = {
    send: (asked) => this.#eachKey(scripts.release, asked, () => 0, []),
    read: isOne,
  }

  /** Runs a script for many keys and the leases that go with them, each with an end on the server's clock. */
  #eachKey<Asked extends Held, Raw>(
    script: scripts.Script,
    asked: readonly Asked[],
    endOf: (one: Asked, now: number) => number,
    args: readonly Argument[],
  ): Promise<Raw[]> {
    return this.#calls.make(() => {
      const now = this.#link.time.now()
      const leases = asked.map((one): Lease => ({ token: one.token, until: endOf(one, now) }))
      const keys = asked.map(({ key }) => this.#keyOf(key))
      return this.#link.script(script, keys, [now, leasesOf(leases), ...args])
    }) as Promise<Raw[]>
  }

  async *#scan(prefix: string, glob = '*'): AsyncGenerator<readonly string[]> {
    const literal = /^[^*?[\\]*/.exec(glob)![0]
    for await (const found of this.#scanRaw(prefix + literal)) {
      const keys = found
        .map((redisKey) => unescapeKey(redisKey.slice(this.#layout.entries.length)))
        .filter((key) => key.startsWith(prefix) && matchGlob(glob, key.slice(prefix.length)))
      if (keys.length > 0) yield keys
    }
  }

  /** The keys in Redis of entries that begin with `prefix`. */
  async *#scanRaw(prefix: string): AsyncGenerator<string[]> {
    const pattern = `${escapeGlob(this.#layout.entries + escapeKey(prefix))}*`
    await this.#calls.make(() => Promise.resolve())
    const { client } = this.#link
    for (const node of isCluster(client) ? client.nodes('master') : [client]) {
      let cursor = '0'
      do {
        const [next, keys] = await this.#calls.make(() => node.scan(cursor, 'MATCH', pattern, 'COUNT', step))
        if (keys.length > 0) yield keys
        cursor = next
      } while (cursor !== '0')
    }
  }

  #entryOf(key: string, bytes: Buffer): Entry | undefined {
    return living(this.#parse(key, bytes).entry, this.#clock.now())
  }

  #parse(key: string, bytes: Buffer): ReturnType<typeof parseFrame> {
    return parseFrame(key, bytes, this.#codec, this.#link.time.offset, this.#last)
  }

  #keyOf(key: string): string {
    return this.#layout.entries + escapeKey(key)
  }
}

/** Whether the server has refused a write because it came too late. */
const isLate = (error: unknown): boolean => error instanceof Error && error.message.startsWith(scripts.late)

/** Whether the server may have done what failed, or may do so yet: the line broke behind it. */
const isUnknown = (error: unknown): boolean =>
  !(error instanceof CacheError || (error as Error).name === 'ReplyError')

const living = (entry: Entry | undefined, now: number): Entry | undefined =>
  entry !== undefined && now < entry.expiresAt ? entry : undefined

/** A key that this process holds, or is to hold. */
interface Held {
  readonly key: string
  readonly token: string
}

/** For how long from now. */
interface Lent extends Held {
  readonly termMs: number
}

const endOfTerm = ({ termMs }: Lent, now: number): number => now + Math.min(termMs, longestLease)

/** What to keep, and until when on the server's clock; nothing for an entry that has ended. */
interface Commit extends Held {
  readonly until: number
  readonly frame: Buffer | ''
}

/** What the script for leases answers. */
type Lending = 1 | [status: number, bytes?: Buffer]

const lentAlone: Acquired = { status: 'leased', entry: undefined }

const isOne = (_: unknown, answer: number): boolean => answer === 1
