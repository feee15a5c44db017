import type { Random } from '@flow-cache/core'

/**
 * A hash of strings to 32 bits that differs from process to process: who chooses the keys cannot choose which of them
 * share one. Start and multiplier are both drawn, at the first key, as edge workers may draw nothing at import; it is no
 * cryptographic hash, and nothing but ratios depends on it.
 */
export function hashOf(random: Random): (key: string) => number {
  const draw = (): number => (random() * 2 ** 32) | 0
  let start = 0
  let multiplier = 0
  return (key) => {
    if (multiplier === 0) {
      start = draw()
      // An odd multiplier loses nothing, and the two bits make it one that moves low bits up.
      multiplier = draw() | 0x1000_0001
    }
    let hash = start
    for (let i = 0; i < key.length; i++) {
      hash = Math.imul(hash ^ key.charCodeAt(i), multiplier)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb_352d)
    hash = Math.imul(hash ^ (hash >>> 15), 0x846c_a68b | 0)
    return hash ^ (hash >>> 16)
  }
}
