/** A figure over all rounds. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function summaryOf(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** What a quarter of the values do not exceed. */
export function quarter(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 2]!
}

export function shuffled<T>(values: readonly T[]): T[] {
  const all = [...values]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}
