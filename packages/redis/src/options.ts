import type { Clock, Codec, Duration } from '@flow-cache/core'
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import type { CompressionOptions } from './codecs/compressed.js'
import type { EncryptionOptions } from './codecs/encrypted.js'

/** Where the servers are. One of the four; default: `redis://127.0.0.1:6379`. */
export interface RedisConnectionOptions {
  /** `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url?: string | undefined
  /** Any of ioredis's own: TLS, a user, `sentinels` and `name`, a Unix socket. Beside `url` too. */
  readonly options?: RedisOptions | undefined
  /** A Redis Cluster. */
  readonly cluster?:
    { readonly nodes: readonly ClusterNode[]; readonly options?: ClusterOptions | undefined } | undefined
  /**
   * A client of yours, as a template: the store opens connections of its own with its settings, so that no write is
   * queued while the server is away and done long after it was reported as failed. Yours is neither used nor closed.
   */
  readonly client?: Redis | Cluster | undefined
}

/** What {@link redisStore} takes. */
export interface RedisStoreOptions extends RedisConnectionOptions {
  /**
   * Begins every key of this store. Anything without `|`; `{…}` in it puts everything in one slot of a Cluster.
   * Default: `'flow-cache:'`.
   */
  readonly prefix?: string | undefined
  /** What turns values into bytes. Default: `plainCodec`. */
  readonly codec?: Codec | undefined
  /** Compresses values whose bytes are more than `threshold`. Default: none. */
  readonly compression?: boolean | CompressionOptions | undefined
  /** Encrypts values with AES-256-GCM. Default: none. */
  readonly encryption?: EncryptionOptions | undefined
  /** The longest value, in bytes, before compression and after it is undone. Default: 16 MiB. */
  readonly maxValueBytes?: number | undefined
  /**
   * After this a `set` that is still on its way is not done when it arrives. No more than the cache's
   * `timeouts.store`, or a write could happen that the cache has given up. Default: as much as that, 200 ms without a cache.
   */
  readonly timeout?: Duration | undefined
  /** How many changes the log on the server keeps for processes that were away. Default: 10,000. */
  readonly logLength?: number | undefined
  /** How long the log may be silent before it is taken for dead is this and a second. Default: 500 ms. */
  readonly heartbeat?: Duration | undefined
  /**
   * After how long without news what was learned from the server is not used until there is news again. `Infinity`
   * serves on: entries in memory then live as long as their `ttl` there says. Default: `Infinity`.
   */
  readonly maxBlindness?: Duration | undefined
  /** How long the marker of a tag outlives its last use. Entries with tags count no longer than that. Default: 30 days. */
  readonly tagTtl?: Duration | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}
