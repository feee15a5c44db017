import type { Random } from '@flow-cache/core'

/** The same chance in each run, so that a figure can be had again (Marsaglia's xorshift). */
export function sameEachTime(): Random {
  let state = 0x9e37_79b9 | 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
