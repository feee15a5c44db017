import type { CacheFile } from './cache-file.js'
import { isKey, keyOf } from './bytes.js'

/** How many of the oldest are looked at in one go. */
const slice = 32

/** How many keys are remembered as used; the one remembered longest is forgotten for another. */
const mostUsed = 10_000

/**
 * Keeps the file within its bound. What was written longest ago goes first; what this process has read since gets
 * another round, as if it were written now. (That is the clock algorithm, with the hand at the oldest.)
 */
export class Room {
  readonly #file: CacheFile
  readonly #maxBytes: number
  readonly #used = new Set<string>()
  readonly #followers = new Set<(key: string) => void>()
  #evicted: string[] = []

  constructor(file: CacheFile, maxBytes: number) {
    this.#file = file
    this.#maxBytes = maxBytes
  }

  /** Whether an entry of so many bytes may be kept at all, beside the tables and what a database needs to breathe. */
  canHold(bytes: number): boolean {
    return bytes <= this.#maxBytes / 2
  }

  use(key: string): void {
    if (this.#used.size === mostUsed) this.#used.delete(this.#used.values().next().value!)
    this.#used.add(key)
  }

  /** Removes entries until what is there is within the bound, but not the one with this key. */
  make(key: string): void {
    while (this.#file.bytesInUse > this.#maxBytes) if (!this.#removeSome(key)) return
  }

  /** Whether any was removed, or put at the end. */
  #removeSome(spared: string): boolean {
    const { sql } = this.#file
    let isDone = false
    for (const [id, name] of sql.oldest.all([slice])) {
      const key = isKey(name) ? keyOf(name) : undefined
      if (key === spared) continue
      // In a damaged file, what is listed need not be there to be removed.
      if (key !== undefined && this.#used.delete(key)) isDone = sql.renew.run([id]).changes > 0 || isDone
      else if (sql.removeOldest.run([id]).changes > 0) {
        isDone = true
        if (key !== undefined) this.#evicted.push(key)
      }
    }
    return isDone
  }

  /** Tells who follows, once the work is done: they may call the store. */
  tell(): void {
    const evicted = this.#evicted
    this.#evicted = []
    for (const key of evicted) for (const follower of this.#followers) follower(key)
  }

  /** What was to be removed stays: the transaction failed. */
  forget(): void {
    this.#evicted = []
  }

  follow(listener: (key: string) => void): () => void {
    // Wrapped, so that one function can follow twice and stop once.
    const follower = (key: string): void => listener(key)
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
    }
  }
}
