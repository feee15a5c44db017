import { type Clock, type Codec, type Duration, systemClock, toMs } from '@flow-cache/core'
import { checkClock, checkMethods, checkNames } from '../../checks.js'
import { v8Codec } from './v8-codec.js'

/** What `fileJournal` takes. */
export interface FileJournalOptions {
  /**
   * When the disk has what was accepted.
   *
   * - `'always'` (default): before `put` resolves; all who wait at that moment share one sync.
   * - A duration: that long after, at most. What was accepted meanwhile is lost if the power is.
   * - `'never'`: when the operating system sees fit.
   *
   * A process that is killed loses nothing in any of them.
   */
  readonly fsync?: 'always' | 'never' | Duration | undefined
  /** What turns values into bytes, which the journal keeps as they are. Default: the engine's own format, for plain data. */
  readonly codec?: Codec | undefined
  /** How long the log grows before what is pending is written out anew and the log before it removed. Default: 16 MiB. */
  readonly segmentBytes?: number | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** The options as they are used. */
export interface FileSettings {
  readonly fsync: 'always' | 'later' | 'never'
  /** In milliseconds, where it is later. */
  readonly interval: number | undefined
  readonly codec: Codec
  readonly segmentBytes: number
  readonly clock: Clock
}

/** Checks what a file journal is made with, and fills in what is not given. */
export function fileSettingsOf(directory: string, options: FileJournalOptions): FileSettings {
  if (typeof directory !== 'string' || directory === '') throw new TypeError('directory must be a path')
  checkNames(options, ['fsync', 'codec', 'segmentBytes', 'clock'], 'fileJournal')
  const { fsync = 'always', codec = v8Codec, clock = systemClock, segmentBytes = 16 * 2 ** 20 } = options
  checkMethods(codec, 'codec', ['encode', 'decode'])
  checkClock(clock)
  if (!(Number.isSafeInteger(segmentBytes) && segmentBytes >= 1)) {
    throw new RangeError(`segmentBytes must be a whole number of at least 1, got ${String(segmentBytes)}`)
  }
  const parts = { codec, clock, segmentBytes }
  if (fsync === 'always' || fsync === 'never') return { ...parts, fsync, interval: undefined }
  return { ...parts, fsync: 'later', interval: toMs(fsync, 'fsync') }
}
