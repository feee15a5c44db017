import type { Trace } from './trace.js'

/**
 * Hits of S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): a small queue of a tenth,
 * a main queue, and as many keys remembered as the main one holds. What was used twice while in the small queue moves on.
 */
export function s3FifoHits({ ids, unique }: Trace, size: number): number {
  const smallSize = Math.max(1, Math.round(size / 10))
  const mainSize = Math.max(0, size - smallSize)
  const small = new Set<number>()
  const main = new Set<number>()
  const ghosts = new Set<number>()
  const uses = new Uint8Array(unique)
  let hits = 0

  const oldestOf = (queue: Set<number>): number => {
    const id: number = queue.values().next().value!
    queue.delete(id)
    return id
  }
  const evictMain = (): void => {
    for (;;) {
      const id = oldestOf(main)
      if (uses[id] === 0) return
      uses[id]!--
      main.add(id)
    }
  }
  const evictSmall = (): void => {
    while (small.size > 0) {
      const id = oldestOf(small)
      if (uses[id]! < 2 || mainSize === 0) {
        ghosts.add(id)
        if (ghosts.size > mainSize) oldestOf(ghosts)
        return
      }
      if (main.size >= mainSize) evictMain()
      uses[id] = 0
      main.add(id)
    }
  }

  for (const id of ids) {
    if (small.has(id) || main.has(id)) {
      hits++
      if (uses[id]! < 3) uses[id]!++
      continue
    }
    while (small.size + main.size >= size) {
      if (small.size >= smallSize || main.size === 0) evictSmall()
      else evictMain()
    }
    uses[id] = 0
    if (ghosts.delete(id)) main.add(id)
    else small.add(id)
  }
  return hits
}
