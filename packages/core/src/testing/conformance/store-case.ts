import { createEntry, type Entry } from '../../entry.js'
import type { Store } from '../../store.js'
import type { FakeClock } from '../fake-clock.js'
import { textOf, words } from '../text-of.js'

/** What a case is given: a store of its own, empty, on a clock that stands still. */
export interface CaseContext {
  readonly store: Store
  readonly clock: FakeClock
  /**
   * A second connection to the same server, as another process would have; needed for the groups `tags`, `leases`
   * and `log`.
   */
  readonly other?: Store | undefined
  /** Lets a little real time pass, for a store whose news travels. Default: the clock moves by 10 ms. */
  readonly pause?: (() => Promise<unknown>) | undefined
}

/** A group of the store contract that has cases. */
export type CaseGroup = 'local' | 'batch' | 'keys' | 'tags' | 'leases' | 'log'

/** One sentence of the store contract, and what shows that it holds. */
export interface StoreCase {
  readonly name: string
  /** What the contract asks of the store, and where most go wrong. */
  readonly asks: string
  /** The group it needs. Without one, every store must pass it. */
  readonly group?: CaseGroup
  /** The group it is not for. */
  readonly unless?: CaseGroup
  /**
   * Resolves if the sentence holds; otherwise a {@link ConformanceError} that says in words what was seen, and what is
   * asked. What the store threw itself is its `cause`.
   */
  readonly run: (context: CaseContext) => Promise<void>
}

/** A store does something else than it promises. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

/** The case, with an error that tells all there is to know in words: where in the kit it was noticed helps nobody. */
export function told(one: StoreCase): StoreCase {
  return {
    ...one,
    async run(context) {
      try {
        await one.run(context)
      } catch (error) {
        const isClaim = error instanceof ConformanceError
        const seen = isClaim ? error.message : `the store failed with ${String(error)}`
        const message = `${one.name}\n  seen: ${seen}\n  asked: ${one.asks}`
        const failure = new ConformanceError(message, isClaim ? {} : { cause: error })
        failure.stack = `${failure.name}: ${message}`
        throw failure
      }
    },
  }
}

/** What was seen is told where it does not hold. */
export function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new ConformanceError(otherwise)
}

/** Whether two values are equal in every detail. */
export const equal = (a: unknown, b: unknown): boolean => textOf(a) === textOf(b)

interface Shape {
  readonly ttl?: number
  readonly grace?: number
  readonly tags?: Entry['tags']
}

/** An entry made now, fresh for a second where nothing else is said. */
export const entry = (
  clock: FakeClock,
  value: unknown,
  { ttl = 1_000, grace = 0, tags }: Shape = {},
): Entry => createEntry({ value, createdAt: clock.now(), ttl, grace, loadMs: 7, tags, version: 2 })

/** The store answers with this value. */
export async function seen(store: Store, key: string, value: unknown, when = ''): Promise<void> {
  const found = await store.get(key)
  claim(found !== undefined, `get(${words(key)}) found nothing${when}, where set had put ${words(value)}`)
  claim(
    equal(found.value, value),
    `get(${words(key)}) gave ${words(found.value)}${when}, where set had put ${words(value)}`,
  )
}

/** The store has no answer. */
export async function gone(store: Store, key: string, when: string): Promise<void> {
  const found = await store.get(key)
  claim(found === undefined, `get(${words(key)}) gave ${words(found?.value)} ${when}`)
}

/** The second connection. */
export function otherOf({ other }: CaseContext): Store {
  claim(other !== undefined, 'the case was given no `other`, a second connection to the same server')
  return other
}

/** Keys that trip who builds on patterns, separators, files or objects. */
export const oddKeys: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'a:b',
  'a',
  'A',
  ':',
  '*',
  '?',
  '%',
  '_',
  "'",
  '[a]',
  '\\',
  '/',
  '..',
  '{a}',
  'a\0',
  'a\n',
  '😀',
  'é',
  'e\u0301',
  ' ',
  'k'.repeat(10_000),
]
