import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { FrameBytes } from './frame.js'

/** How much is read at once. */
const window = 4 * 2 ** 20

/** A file as frames are read from it: a window at a time, however long it is. Close it. */
export class FileBytes implements FrameBytes {
  readonly size: number
  readonly #file: number
  #bytes: Buffer = Buffer.alloc(0)
  #from = 0

  constructor(path: string) {
    this.#file = openSync(path, 'r')
    this.size = fstatSync(this.#file).size
  }

  slice(from: number, to: number): Buffer {
    if (from < this.#from || to > this.#from + this.#bytes.length) {
      this.#bytes = Buffer.alloc(Math.min(Math.max(window, to - from), this.size - from))
      this.#from = from
      for (let read = 0; read < this.#bytes.length;) {
        const count = readSync(this.#file, this.#bytes, read, this.#bytes.length - read, from + read)
        if (count === 0) throw new Error('the file is shorter than it was')
        read += count
      }
    }
    return this.#bytes.subarray(from - this.#from, to - this.#from)
  }

  close(): void {
    closeSync(this.#file)
  }
}
