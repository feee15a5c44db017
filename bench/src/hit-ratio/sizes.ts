const units: Readonly<Record<string, number>> = { '': 1, k: 1_000, m: 1_000_000 }

/** Sizes in entries (`1000`, `10k`, `1M`) or as shares of so many keys (`5%`), the least first and each once. */
export function parseSizes(text: string, unique: number): readonly number[] {
  const sizes = text.split(',').map((part) => {
    const found = /^(\d+(?:\.\d+)?)(%|[km]?)$/i.exec(part.trim())
    if (found === null) throw new RangeError(`a size must be like 1000, 10k, 1M or 5%, got '${part}'`)
    const [, amount, unit] = found
    const share = unit === '%' ? unique / 100 : units[unit!.toLowerCase()]!
    const size = Math.round(Number(amount) * share)
    if (size < 1 && unit !== '%') throw new RangeError(`a size must be 1 entry at least, got '${part}'`)
    return Math.max(1, size)
  })
  return [...new Set(sizes)].toSorted((a, b) => a - b)
}
