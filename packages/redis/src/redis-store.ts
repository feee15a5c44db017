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
  type TagVersion,
  toMs,
} from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'
import { ChangeLog } from './change-log.js'
import { compressed } from './codecs/compressed.js'
import { encrypted } from './codecs/encrypted.js'
import { limited } from './codecs/limited.js'
import { checkConnection, isCluster, isClusterOf } from './connection.js'
import { checkToken, frameOf, LastDetails, type Lease, leasesOf, parseFrame, stayUntil } from './frame.js'
import { escapeKey, type Layout, layoutOf, loggedKey, unescapeKey } from './layout.js'
import { Link, type Position } from './link.js'
import type { RedisStoreOptions } from './options.js'
import type { Argument } from './script-call.js'
import * as scripts from './scripts.js'
import { type Kind, Turn } from './turn.js'
import { word } from './word.js'

/** How much longer a write may take for each other one that is made with it, in milliseconds: as the cache counts. */
const perKey = 2

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
  readonly #me: string = word()
  readonly #last: LastDetails = new LastDetails()
  readonly #timeout: number
  readonly #logLength: number
  readonly #tagTtl: number
  readonly #scripts: scripts.KeyScripts
  /** When the marker of a tag in use was last given its time anew. */
  readonly #touched = new Map<string, number>()
  readonly #turn: Turn
  #pending = 0
  #idle: (() => void) | undefined
  #closed = false

  constructor(options: RedisStoreOptions) {
    check(options)
    const { prefix = 'flow-cache:', clock = systemClock, logLength = 10_000 } = options
    this.#clock = clock
    this.#codec = codecOf(options)
    this.#layout = layoutOf(prefix)
    this.#timeout = toMs(options.timeout ?? 200, 'timeout')
    this.#logLength = logLength
    this.#tagTtl = Math.min(toMs(options.tagTtl ?? '30d', 'tagTtl'), 1e15)
    const maxBlindness = toMs(options.maxBlindness ?? Infinity, 'maxBlindness')
    const heartbeat = toMs(options.heartbeat ?? 500, 'heartbeat')
    this.#scripts = scripts.keyScripts(!isClusterOf(options))
    const all = [...Object.values(this.#scripts), ...scripts.others] as scripts.Script[]
    this.#link = new Link(options, this.#layout, clock, all)
    this.#turn = new Turn(this.#link.clustered ? 1 : mostTogether)
    this.log = new ChangeLog(this.#link, {
      to: options,
      layout: this.#layout,
      clock,
      me: this.#me,
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
    this.tags = {
      position: () => this.#position(),
      versions: (names, since) => this.#versions(names, since),
      invalidate: (names) => this.#invalidate(names),
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

  get(key: string): Promise<Entry | undefined> {
    return this.#turn.ask(this.#reads, key)
  }

  async set(key: string, entry: Entry): Promise<void> {
    const deadline = this.#clock.now() + this.#timeout
    await this.#change(this.#scripts.set, key, () => this.#written(key, entry, deadline))
  }

  async #setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    // The last of them has to wait for the others.
    const deadline = this.#clock.now() + this.#timeout + (entries.length - 1) * perKey
    // Frames need the server's time. All are made before the first is sent: one may be refused.
    if (this.#link.begun === undefined) await this.#call(() => Promise.resolve())
    const written = entries.map(([key, entry]) => this.#written(key, entry, deadline))
    await Promise.all(entries.map(([key], i) => this.#change(this.#scripts.set, key, written[i]!)))
  }

  /** The arguments with which an entry is set. */
  #written(key: string, entry: Entry, deadline: number): readonly Argument[] {
    const { offset } = this.#link.time
    const stay = stayUntil(entry.expiresAt, this.#clock.now())
    return [deadline + offset, stay, stay === 0 ? '' : frameOf(key, entry, this.#codec, offset)]
  }

  async delete(key: string): Promise<boolean> {
    return this.#change(this.#scripts.remove, key, [])
  }

  async clear(prefix = ''): Promise<void> {
    for await (const keys of this.#scanRaw(prefix)) {
      await this.#unlink(keys)
    }
    await this.#tell('c', escapeKey(prefix))
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#turn.flush()
      this.#closed = true
      this.log.stop()
      if (this.#pending > 0) {
        let timer: unknown
        await new Promise<void>((resolve) => {
          this.#idle = resolve
          timer = this.#clock.setTimer(resolve, this.#timeout, true)
        })
        this.#clock.clearTimer(timer)
      }
      this.#link.close()
    }
  }

  /** One call to the server: counted, so that `close` can wait for it, and its failures told in our words. */
  #call<T>(send: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new CacheError('ERR_CLOSED', 'the store is closed'))
    this.#pending++
    let sent: Promise<T>
    try {
      sent = this.#link.run(send)
    } catch (error) {
      // A value that cannot be encoded.
      this.#ended()
      return Promise.reject(error)
    }
    return sent.then(
      (answer) => {
        this.#ended()
        return answer
      },
      (error: unknown) => {
        this.#ended()
        throw inOurWords(error)
      },
    )
  }

  #ended(): void {
    if (--this.#pending === 0) this.#idle?.()
  }

  #script(script: scripts.Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    this.#turn.flush()
    return this.#call(() => this.#link.script(script, keys, args)).catch((error: unknown) =>
      this.#mend(error),
    )
  }

  /**
   * A script that has to do with the log failed. If something else lies where the log, its counters or a tag's marker
   * are to be, it goes: a new epoch begins, and everybody takes it that changes were missed.
   */
  async #mend(error: unknown): Promise<never> {
    if ((error as CacheError).code !== 'ERR_POISONED') throw error
    const { meta, log, tags } = this.#layout
    const { client } = this.#link
    const types = await Promise.all([client.type(meta), client.type(log)]).catch(() => [])
    const wrong = [meta, log].filter((_, i) => types[i] !== ['hash', 'stream'][i])
    if (types.length > 0) await this.#unlink(wrong.length > 0 ? [meta, log] : []).catch(() => {})
    throw new CacheError(
      'ERR_STORE',
      `something else lay under ${wrong.join(' and ') || `a key that begins with ${tags}`}, which is this cache's own`,
      { cause: error },
    )
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
    const answer = await this.#call(() => {
      const own = [this.#link.time.now(), ...(typeof args === 'function' ? args() : args)]
      return this.#link.clustered
        ? this.#link.script(script, [redisKey], own)
        : this.#link.script(script, [redisKey, meta, log], [...own, ...this.#signature(), kind, name])
    }).catch((error: unknown) => this.#mend(error))
    if (this.#link.clustered) await this.#tell(kind, name)
    return answer === 1
  }

  /** Who writes to the log, how long it is kept, and a word for a new epoch. */
  #signature(): readonly [string, number, string] {
    return [this.#me, this.#logLength, word()]
  }

  async #tell(kind: string, name: string): Promise<void> {
    const { meta, log } = this.#layout
    await this.#script(scripts.tell, [meta, log], [...this.#signature(), kind, name])
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
    if (tags !== undefined) this.#touch(tags)
    const { offset } = this.#link.time
    const frame = this.#clock.now() < expiresAt ? frameOf(key, entry, this.#codec, offset) : ''
    return this.#turn.ask(this.#commits, { key, token, until: expiresAt + offset, frame })
  }

  readonly #reads: Kind<string, Buffer | null, Entry | undefined> = {
    send: (keys) => this.#call(() => this.#getAll(keys.map((key) => this.#keyOf(key)))),
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
      return { status: 'taken', entry, remainingMs: Math.max(1, frame.leaseUntil - now) }
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
    return this.#call(() => {
      const now = this.#link.time.now()
      const leases = asked.map((one): Lease => ({ token: one.token, until: endOf(one, now) }))
      const keys = asked.map(({ key }) => this.#keyOf(key))
      return this.#link.script(script, keys, [now, leasesOf(leases), ...args])
    }) as Promise<Raw[]>
  }

  #position(): string | Promise<string> {
    const known = this.log.position
    if (known !== undefined) return text(known)
    return this.#call(() => this.#link.status(this.#link.client)).then(text)
  }

  async #versions(names: readonly string[], since = ' '): Promise<(string | undefined)[]> {
    if (names.length === 0) return []
    const [epoch, count] = since.split(' ')
    const answer = (await this.#tagScript(scripts.tagVersions, names, [epoch!, count!])) as (Buffer | null)[]
    return answer.map((version) => version?.toString())
  }

  async #invalidate(names: readonly string[]): Promise<void> {
    if (names.length > 0) this.log.tagsChanged(Number(await this.#tagScript(scripts.invalidate, names, [])))
  }

  #tagScript(script: scripts.Script, names: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const { meta, log, tags } = this.#layout
    const escaped = names.map(escapeKey)
    return this.#script(
      script,
      [meta, log, ...escaped.map((name) => tags + name)],
      [...this.#signature(), this.#tagTtl, ...args, ...escaped],
    )
  }

  /** Gives the markers of an entry's tags their time anew, behind, when a good part of it has passed. */
  #touch(tags: readonly TagVersion[]): void {
    const now = this.#clock.now()
    for (const { name } of tags) {
      const before = this.#touched.get(name)
      if (before !== undefined && now - before < this.#tagTtl / 4) continue
      if (this.#touched.size >= 10_000) this.#touched.clear()
      this.#touched.set(name, now)
      if (before === undefined) continue
      const marker = this.#layout.tags + escapeKey(name)
      this.#call(() => this.#link.client.pexpire(marker, this.#tagTtl)).catch(() => {})
    }
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
    await this.#call(() => Promise.resolve())
    const { client } = this.#link
    for (const node of isCluster(client) ? client.nodes('master') : [client]) {
      let cursor = '0'
      do {
        const [next, keys] = await this.#call(() => node.scan(cursor, 'MATCH', pattern, 'COUNT', step))
        if (keys.length > 0) yield keys
        cursor = next
      } while (cursor !== '0')
    }
  }

  async #unlink(redisKeys: readonly string[]): Promise<void> {
    if (redisKeys.length === 0) return
    const { client, clustered } = this.#link
    if (clustered) await this.#call(() => Promise.all(redisKeys.map((redisKey) => client.unlink(redisKey))))
    else await this.#call(() => client.unlink(...redisKeys))
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

const endOfTerm = ({ termMs }: Lent, now: number): number => now + termMs

/** What to keep, and until when on the server's clock; nothing for an entry that has ended. */
interface Commit extends Held {
  readonly until: number
  readonly frame: Buffer | ''
}

/** What the script for leases answers. */
type Lending = 1 | [status: number, bytes?: Buffer]

const lentAlone: Acquired = { status: 'leased', entry: undefined }

const isOne = (_: unknown, answer: number): boolean => answer === 1

const text = ({ epoch, tagChanges }: Position): string => `${epoch} ${tagChanges}`

/** What Redis says of a key or of itself that is no failure to answer. */
function inOurWords(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error.message.startsWith('WRONGTYPE')) return notText(error)
  if (error.message.startsWith('OOM')) {
    return new CacheError('ERR_STORE_FULL', 'Redis has no room and evicts nothing: it takes no writes', {
      cause: error,
    })
  }
  return error
}

const notText = (cause?: unknown): CacheError =>
  new CacheError('ERR_POISONED', 'what lies under this key in Redis is not a string', { cause })

function codecOf({ codec = plainCodec, compression, encryption, maxValueBytes }: RedisStoreOptions): Codec {
  const maxBytes = maxValueBytes ?? 16 * 2 ** 20
  let made = limited(codec, maxBytes)
  if (compression !== undefined && compression !== false) {
    made = compressed(made, { maxBytes, ...(compression === true ? {} : compression) })
  }
  return encryption === undefined ? made : encrypted(made, encryption)
}

/** The options of {@link redisStore}, for those who take them among others. */
export const storeOptionNames: readonly string[] = [
  'url',
  'options',
  'cluster',
  'client',
  'prefix',
  'codec',
  'compression',
  'encryption',
  'maxValueBytes',
  'timeout',
  'logLength',
  'heartbeat',
  'maxBlindness',
  'tagTtl',
  'clock',
]

function check(options: RedisStoreOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('redisStore takes an object of options')
  for (const name of Object.keys(options)) {
    if (!storeOptionNames.includes(name)) {
      throw new TypeError(`redisStore: unknown option '${name}'; it takes ${storeOptionNames.join(', ')}`)
    }
    if ((options as Record<string, unknown>)[name] === null) throw new TypeError(`${name} must not be null`)
  }
  checkConnection(options)
  const { prefix, logLength, maxValueBytes, codec, clock, compression } = options
  if (codec !== undefined) checkCodec(codec)
  if (clock !== undefined && typeof clock.now !== 'function') throw new TypeError('clock must have now()')
  if (compression !== undefined && typeof compression !== 'boolean' && !isPlainObject(compression)) {
    throw new TypeError('compression must be true or an object of options')
  }
  if (options.options !== undefined && !isPlainObject(options.options)) {
    throw new TypeError('options must be an object of options for ioredis')
  }
  if (prefix !== undefined && typeof prefix !== 'string') throw new TypeError('prefix must be a string')
  for (const [name, value, least] of [
    ['logLength', logLength, 1],
    ['maxValueBytes', maxValueBytes, 1],
  ] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
      throw new RangeError(`${name} must be a whole number of at least ${least}, got ${String(value)}`)
    }
  }
}

/** A codec's name stands before each value, in a byte's length of Latin-1 characters. */
function checkCodec(codec: Codec): void {
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new TypeError('codec must have encode(value, key) and decode(bytes, key), as jsonCodec does')
  }
  if (typeof codec.name !== 'string' || !/^[!-~]{1,100}$/.test(codec.name)) {
    throw new TypeError('codec.name must be 1 to 100 visible ASCII characters')
  }
}

const isPlainObject = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value))
