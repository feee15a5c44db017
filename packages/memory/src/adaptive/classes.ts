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
