import { fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CacheError } from '@flow-cache/core'
import { frameLimit, frameOf } from './frame.js'
import { logName } from './recovery.js'
import { syncDirectory } from './sync-directory.js'

/** One record on its way to the disk. */
interface Entry {
  readonly record: Buffer
  /** What it changes, once it is written: in the order of the log. */
  readonly effect: () => void
  /** Whether it is done nevertheless where it cannot be written, and written when that is possible again. */
  readonly mustHappen: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  done: boolean
}

/** What a log is told when it is opened. */
export interface GroupLogOptions {
  readonly directory: string
  readonly file: number
  readonly frame: number
  /** Whether whoever waits is told only once the disk has it, or that is seen to later, or by nobody. */
  readonly syncs: 'always' | 'later' | 'never'
  /** Called between groups: everything written so far has had its effect. Answers with whether to begin a new file. */
  readonly isFull: (bytes: number) => boolean
  /** A new file was begun, which needs a checkpoint of what came before. */
  readonly onRotate: (file: number, frame: number) => void
}

/**
 * Appends records to files, in groups: while one group is being written and synced, the next one gathers, and all of
 * it is one write and one sync.
 *
 * A write that fails is cut off again, so that the file ends with a whole frame. After a sync that failed nobody knows
 * what the disk has of the file (the kernel forgets what it could not write), so it is cut, left, and a new one begun.
 * Where that fails too, every group tries it again first.
 */
export class GroupLog {
  readonly #options: GroupLogOptions
  #file: FileHandle | undefined
  #number: number
  #frame: number
  #offset = 0
  #queue: Entry[] = []
  #running: Promise<void> | undefined
  #repair: 'none' | 'cut' | 'rotate' = 'rotate'
  /** Whether something was written that was not synced. */
  #dirty = false

  constructor(options: GroupLogOptions) {
    this.#options = options
    this.#number = options.file - 1
    this.#frame = options.frame
  }

  /** Resolves when the record is as safe as it gets, and has had its effect. */
  append(record: Buffer, effect: () => void, mustHappen = false): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ record, effect, mustHappen, resolve, reject, done: false })
      this.#running ??= this.#run()
    })
  }

  /** Brings what was written to the disk. */
  async sync(): Promise<void> {
    if (!this.#dirty || this.#file === undefined || this.#repair !== 'none') return
    this.#dirty = false
    try {
      await this.#file.datasync()
    } catch (error) {
      // What the disk has is not known any more; the new file comes with a checkpoint of everything.
      this.#repair = 'rotate'
      throw failed(error)
    }
  }

  /** Waits for what was begun, syncs, and frees the file. */
  async close(): Promise<void> {
    await this.#running
    if (this.#options.syncs !== 'never') await this.sync().catch(() => undefined)
    await this.#file?.close()
    this.#file = undefined
  }

  async #run(): Promise<void> {
    // What comes in the same turn goes into the same group.
    await undefined
    try {
      await this.#empty()
    } finally {
      // In the same turn in which the queue was seen to be empty: who comes next begins anew.
      this.#running = undefined
    }
  }

  async #empty(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#take()
      try {
        this.#assertThere()
        if (this.#options.isFull(this.#offset) && this.#repair === 'none') this.#repair = 'rotate'
        if (this.#repair !== 'none') await this.#mend()
        await this.#write(group)
        for (const entry of group) this.#finish(entry)
      } catch (error) {
        const left = group.filter((entry) => entry.mustHappen)
        for (const entry of group) {
          if (entry.mustHappen) this.#finish(entry)
          else entry.reject(failed(error))
        }
        this.#queue.unshift(...left)
        // Until there is something new, it would fail again.
        if (this.#queue.every(({ done }) => done)) return
      }
    }
  }

  /** What is written to a file that was removed is gone with the process; and another may have the directory by now. */
  #assertThere(): void {
    if (this.#file !== undefined && fstatSync(this.#file.fd).nlink === 0) {
      throw new Error(`${join(this.#options.directory, logName(this.#number))} was removed`)
    }
  }

  #finish(entry: Entry): void {
    if (entry.done) return
    entry.done = true
    entry.effect()
    entry.resolve()
  }

  #take(): Entry[] {
    let length = 0
    let count = 0
    while (count < this.#queue.length && (count === 0 || length < frameLimit))
      length += this.#queue[count++]!.record.length
    const group = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    return group
  }

  async #write(group: readonly Entry[]): Promise<void> {
    const frame = frameOf(
      this.#frame,
      group.map(({ record }) => record),
    )
    try {
      await writeAll(this.#file!, frame, this.#offset)
    } catch (error) {
      this.#repair = 'cut'
      throw error
    }
    this.#dirty = true
    // Nobody waits for an acknowledgement to be safe: without it, the operation is done again.
    if (this.#options.syncs === 'always' && group.some(({ mustHappen }) => !mustHappen)) {
      try {
        await this.#file!.datasync()
        this.#dirty = false
      } catch (error) {
        this.#repair = 'rotate'
        throw error
      }
    }
    this.#offset += frame.length
    this.#frame++
  }

  /** Makes the log one that can be written again. */
  async #mend(): Promise<void> {
    // The end of this file as everyone was told.
    if (this.#file !== undefined) await this.#file.truncate(this.#offset)
    if (this.#repair === 'rotate') {
      // A checkpoint will have all that is in this file; where that fails, the disk should have the file.
      if (this.#dirty && this.#options.syncs !== 'never') await this.#file?.datasync().catch(() => undefined)
      const number = this.#number + 1
      const next = await open(join(this.#options.directory, logName(number)), 'w')
      try {
        syncDirectory(this.#options.directory)
      } catch (error) {
        await next.close()
        throw error
      }
      const last = this.#file
      this.#file = next
      this.#number = number
      this.#offset = 0
      await last?.close().catch(() => undefined)
      this.#options.onRotate(number, this.#frame)
    }
    this.#repair = 'none'
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written, offset + written)).bytesWritten
  }
}

const failed = (cause: unknown): CacheError =>
  new CacheError('ERR_JOURNAL', `the journal could not write: ${(cause as Error).message}`, { cause })
