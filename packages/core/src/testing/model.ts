import { createEntry, type Entry } from '../entry.js'
import type { Store } from '../store.js'
import { ConformanceError } from './conformance/store-case.js'
import type { FakeClock } from './fake-clock.js'
import { seededRandom } from './seeded-random.js'

/** What a comparison is run with. */
export interface ModelOptions {
  /** The store to try. It must not drop entries for want of room within a few keys. */
  readonly store: Store
  /** The store it has to agree with, on the same clock: a `mapStore`. */
  readonly reference: Store
  readonly clock: FakeClock
  readonly seed: number
  /** How many operations. Default: 500. */
  readonly steps?: number
}

/** The few keys that are played with: enough to meet, and odd enough to trip. */
const keys = ['a', 'b', 'ab', '__proto__', '@n:a', '@n:b', '*']
const values = [0, -0, '', false, null, Number.NaN, undefined, 'x', { y: [1] }]

/**
 * Plays the same random operations on both stores, and compares every answer. The first difference is a
 * {@link ConformanceError} that gives the seed, the operation and both answers.
 */
export async function runModel({ store, reference, clock, seed, steps = 500 }: ModelOptions): Promise<void> {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const some = (): string[] => keys.filter(() => random() < 0.4)
  const made = (): Entry => {
    const [createdAt, ttl, grace] = [clock.now(), pick([0, 1, 10, 100, Infinity]), pick([0, 5, 50])]
    const tags = random() < 0.2 ? [{ name: pick(keys), version: String(seed) }] : undefined
    return createEntry({ value: pick(values), createdAt, ttl, grace, tags, loadMs: 3 })
  }

  const operations: Record<string, () => readonly [string, (on: Store) => unknown]> = {
    get() {
      const key = pick(keys)
      return [`get('${key}')`, (on) => on.get(key)]
    },
    set() {
      const [key, entry] = [pick(keys), made()]
      return [`set('${key}')`, (on) => on.set(key, entry)]
    },
    delete() {
      const key = pick(keys)
      return [`delete('${key}')`, (on) => on.delete(key)]
    },
    clear() {
      const prefix = pick(['', '@n:', 'a', '*', 'z'])
      return [`clear('${prefix}')`, (on) => on.clear(prefix)]
    },
    advance() {
      return ['time passes', () => undefined]
    },
    ...(store.batch && {
      getMany() {
        const asked = some()
        return [`getMany(${asked.join()})`, (on: Store) => on.batch!.getMany(asked)] as const
      },
      setMany() {
        const entries = some().map((key) => [key, made()] as const)
        return ['setMany', (on: Store) => on.batch!.setMany(entries)] as const
      },
      deleteMany() {
        const asked = some()
        return [`deleteMany(${asked.join()})`, (on: Store) => on.batch!.deleteMany(asked)] as const
      },
    }),
  }

  const weighted = ['get', 'get', 'get', 'set', 'set', ...Object.keys(operations)]
  for (let step = 0; step < steps; step++) {
    const kind = pick(weighted)
    const [name, operation] = operations[kind]!()
    if (kind === 'advance') await clock.advance(pick([1, 5, 10, 50]))
    const answer = show(await operation(store))
    const wanted = show(await operation(reference))
    if (answer !== wanted) {
      throw new ConformanceError(
        `seed ${seed}, step ${step}: ${name} answered ${answer}, where a map answers ${wanted}`,
      )
    }
  }
}

/** An answer in a form that tells `undefined`, `-0` and `NaN` apart. */
function show(answer: unknown): string {
  if (Array.isArray(answer)) return `[${answer.map(show).join(', ')}]`
  if (typeof answer !== 'object' || answer === null) return Object.is(answer, -0) ? '-0' : String(answer)
  if (!('staleAt' in answer)) return JSON.stringify(answer)
  const { value, createdAt, staleAt, expiresAt, loadMs, tags } = answer as Entry
  const labels = tags?.map((tag) => `${tag.name}=${tag.version}`)
  return `{ ${show(value)} from ${createdAt} to ${staleAt} to ${expiresAt}, ${loadMs} ms, ${labels?.join() ?? 'no tags'} }`
}
