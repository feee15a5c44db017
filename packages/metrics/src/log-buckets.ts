/** Buckets an octave: a value is known to within 1/32 of itself. */
const parts = 32

/**
 * Numbers a value's bucket: one for each whole number below 64, then 32 of equal width an octave, as HDR Histogram has
 * them. Values from 0; a fraction of one is dropped.
 */
export function bucketOf(value: number): number {
  let octave = 0
  let scaled = value
  while (scaled >= 2 * parts) {
    scaled /= 2
    octave++
  }
  return octave * parts + Math.floor(scaled)
}

/** The smallest value in the bucket. */
export function lowerEdge(bucket: number): number {
  const octave = Math.max(0, Math.floor(bucket / parts) - 1)
  return (bucket - octave * parts) * 2 ** octave
}
