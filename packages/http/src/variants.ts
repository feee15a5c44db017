/** How many resources are watched. The variants of one that is forgotten end with their time. */
const mostResources = 10_000

/** Bounds how many variants of a resource this process keeps. */
export class Variants {
  readonly #most: number
  /** The variants of each resource, the one used longest ago first; resources likewise. */
  readonly #known = new Map<string, Set<string>>()

  constructor(most: number) {
    this.#most = most
  }

  /** Takes note of a variant that is used; the answer is one that has to go for it, if any. */
  use(resource: string, variant: string): string | undefined {
    const variants = this.#known.get(resource) ?? new Set()
    this.#known.delete(resource)
    this.#known.set(resource, variants)
    variants.delete(variant)
    variants.add(variant)
    if (this.#known.size > mostResources) this.#known.delete(this.#known.keys().next().value!)
    if (variants.size <= this.#most) return undefined
    const [oldest] = variants
    variants.delete(oldest!)
    return oldest
  }
}
