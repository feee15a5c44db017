import {
  type Awaitable,
  type Clock,
  type Entry,
  freshness,
  type Leases,
  randomId,
  type Store,
} from '@flow-cache/core'
import { atTier } from './entries.js'

/** Fills the tiers that had nothing with a fresh entry; without one, gives back the right to. */
export type Fill = (entry: Entry | undefined) => Promise<void>

/** There is nothing to fill. */
const nothing: Fill = () => Promise.resolve()

/** How long a tier waits for what is behind it, in milliseconds. */
const term = 1_000

/** The shared tiers in front of the last one: a server near by, before one far away. One that fails has nothing. */
export class Between {
  readonly #stores: readonly Store[]
  /** What number the first of them has. */
  readonly #first: number
  readonly #clock: Clock

  constructor(stores: readonly Store[], first: number, clock: Clock) {
    this.#stores = stores
    this.#first = first
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#stores.length === 0
  }

  /**
   * A fresh entry, or the right to fill the tiers with what is behind them. Like any load, a fill is fenced by a
   * lease: what was read before a change is not put back after it.
   */
  async ask(key: string): Promise<{ readonly entry?: Entry; readonly fill: Fill }> {
    const lent: Leases[] = []
    const token = randomId()
    const fill: Fill = async (entry) => {
      const isFresh = entry !== undefined && freshness(entry, this.#clock.now()) === 'fresh'
      const steps = lent.map(async (leases) =>
        isFresh ? leases.commit(key, token, entry) : leases.release(key, token),
      )
      await Promise.allSettled(steps)
    }
    for (const [i, { leases }] of this.#stores.entries()) {
      const got = await Promise.resolve(leases!.acquire(key, token, term)).catch(() => undefined)
      if (got?.status === 'fresh') {
        await fill(got.entry)
        return { entry: atTier(got.entry, this.#first + i), fill: nothing }
      }
      if (got?.status === 'leased') lent.push(leases!)
    }
    return { fill }
  }

  /** Ends what they have, and every fill under way. Fails if one does: it would go on answering. */
  async delete(key: string): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.delete(key)))
  }

  async clear(prefix: string): Promise<void> {
    for (const store of this.#stores) await store.clear(prefix)
  }
}

/** The answer; if there is none, nothing is filled with it. */
export async function settled<T>(answer: Awaitable<T>, fill: Fill): Promise<T> {
  try {
    return await answer
  } catch (error) {
    await fill(undefined)
    throw error
  }
}
