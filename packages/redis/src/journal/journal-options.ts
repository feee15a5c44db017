import type { Codec, Duration } from '@flow-cache/core'
import { checkConnection, isClusterOf } from '../connection.js'
import type { RedisConnectionOptions } from '../options.js'

/** What `redisJournal` takes. */
export interface RedisJournalOptions extends RedisConnectionOptions {
  /** Begins every key of the journal. All processes with one prefix share it. Default: `'flow-cache:journal:'`. */
  readonly prefix?: string | undefined
  /** What turns values into bytes. Default: `plainCodec`. */
  readonly codec?: Codec | undefined
  /** The longest value, in bytes. Default: 16 MiB. */
  readonly maxValueBytes?: number | undefined
  /**
   * What has to have a write before it counts as accepted, beside the server's memory. Not with a Cluster. Default:
   * nothing; how safe it is depends on `appendfsync` alone.
   */
  readonly confirm?: JournalConfirmation | undefined
}

/** See {@link RedisJournalOptions.confirm}. A write that is not confirmed in time is `ERR_JOURNAL`; it may be there. */
export interface JournalConfirmation {
  /** Whether the server's own append-only file has to be synced (`WAITAOF`, Redis 7.2). Default: `false`. */
  readonly disk?: boolean | undefined
  /** How many replicas have to have it (`WAIT`); with `disk`, on their disks. Default: 0. */
  readonly replicas?: number | undefined
  /** For how long that is waited. Everything else on the connection waits too. Default: `'1s'`. */
  readonly timeout?: Duration | undefined
}

const names = ['url', 'options', 'cluster', 'client', 'prefix', 'codec', 'maxValueBytes', 'confirm']

/** Options of a journal, or a `TypeError` or `RangeError` that names the wrong one. */
export function checkJournalOptions(options: RedisJournalOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('redisJournal takes an object of options')
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`redisJournal: unknown option '${name}'; it takes ${names.join(', ')}`)
    }
  }
  checkConnection(options)
  const { prefix, maxValueBytes, confirm } = options
  if (prefix !== undefined && typeof prefix !== 'string') throw new TypeError('prefix must be a string')
  if (prefix?.includes('|')) throw new RangeError(`prefix must not contain '|', got '${prefix}'`)
  if (maxValueBytes !== undefined && !(Number.isSafeInteger(maxValueBytes) && maxValueBytes >= 1)) {
    throw new RangeError(`maxValueBytes must be a whole number of at least 1, got ${String(maxValueBytes)}`)
  }
  if (confirm === undefined) return
  if (isClusterOf(options)) throw new TypeError('confirm cannot be used with a Cluster')
  const { replicas = 0 } = confirm
  if (!(Number.isSafeInteger(replicas) && replicas >= 0)) {
    throw new RangeError(`confirm.replicas must be a whole number of at least 0, got ${String(replicas)}`)
  }
}
