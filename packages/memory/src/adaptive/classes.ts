/** How many classes of entries are told apart. */
export const classes = 9

/** Uses are counted up to here. */
export const mostUses = 9

/**
 * The class of an entry: 0 while it was used once, then by how often it was used (2, 3–4, 5–8, 9 or more) and
 * whether its last pause was `long`.
 */
export function classOf(uses: number, long: boolean): number {
  if (uses < 2) return 0
  return 1 + 2 * (31 - Math.clz32(uses - 1)) + (long ? 1 : 0)
}

/** Whether the last pause of an entry of this class was long; not told of those that were used once. */
export function isLong(kind: number): boolean {
  return kind > 0 && kind % 2 === 0
}
