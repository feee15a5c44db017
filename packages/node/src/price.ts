/** What running a step took, beside time. */
export interface Cost {
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** Input tokens that the provider had in a cache of its own. Part of `inputTokens`. */
  readonly cacheReadTokens?: number | undefined
  /** Input tokens that the provider put into a cache of its own. Part of `inputTokens`. */
  readonly cacheWriteTokens?: number | undefined
  /** Dollars. Worked out from `pricing` where it is left out and the `model` is there. */
  readonly usd?: number | undefined
  /** The name under which `pricing` has the price. */
  readonly model?: string | undefined
}

/** What a model costs, in dollars for a million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
  /** Default: `input`. */
  readonly cacheRead?: number | undefined
  /** Default: `input`. */
  readonly cacheWrite?: number | undefined
}

/** Prices by model. Yours to fill in: none come with the package, they would be old before you install it. */
export type Pricing = Readonly<Record<string, Price>>

/** Dollars, or 0 where nothing tells a price. */
export function priceOf(cost: Cost, pricing: Pricing = {}): number {
  if (cost.usd !== undefined) return cost.usd
  const price =
    cost.model !== undefined && Object.hasOwn(pricing, cost.model) ? pricing[cost.model] : undefined
  if (price === undefined) return 0
  const { inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = cost
  const plain = inputTokens - cacheReadTokens - cacheWriteTokens
  const { input, output, cacheRead = input, cacheWrite = input } = price
  return (
    (plain * input + outputTokens * output + cacheReadTokens * cacheRead + cacheWriteTokens * cacheWrite) /
    1_000_000
  )
}
