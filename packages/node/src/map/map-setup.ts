import { type Cache, type Clock, type GetOrSetOptions, systemClock } from '@flow-cache/core'
import type { KeepingOptions } from '../options.js'
import type { Cost } from '../price.js'
import { Books } from '../recall/books.js'
import { keepingOf } from '../recall/setup.js'
import { yesOrNo } from '../yes-or-no.js'

/** What all calls of a cached map have in common. */
export interface MapSetup {
  readonly nodeId: string
  readonly options: KeepingOptions
  readonly cache: Cache
  readonly clock: Clock
  readonly books: Books
  readonly keeping: GetOrSetOptions
  /** What the caller's validator says of an item's output; one that throws or answers later says no. */
  readonly isWorthKeeping: (output: unknown) => boolean
}

/** How a map is set up, whose `store` looks at one output and whose `cost` at those of one call. */
export function mapSetupOf(
  nodeId: string,
  options: Omit<KeepingOptions, 'store' | 'cost'>,
  {
    store,
    cost,
    tags,
  }: {
    readonly store?: ((output: never) => boolean) | undefined
    readonly cost?: ((outputs: never) => Cost | undefined) | undefined
    readonly tags?: readonly string[] | undefined
  },
): MapSetup {
  const { cache, clock = systemClock } = options
  const keeping: KeepingOptions = {
    ...options,
    store: undefined,
    cost: cost && ((result) => (result.success ? cost(result.output as never) : undefined)),
  }
  return {
    nodeId,
    options: keeping,
    cache,
    clock,
    books: new Books(keeping, clock),
    keeping: { ...keepingOf(keeping), ...(tags !== undefined && { tags }) },
    isWorthKeeping(output) {
      try {
        return store === undefined || yesOrNo(store(output as never), 'store')
      } catch {
        return false
      }
    },
  }
}
