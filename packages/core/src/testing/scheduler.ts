import { deferred } from '../deferred.js'
import type { Awaitable, Store } from '../store.js'
import { settle } from './fake-clock.js'
import { seededRandom } from './seeded-random.js'
import type { Random } from '../random.js'

/** Decides, from a seed, in which order things that wait go on. */
export interface Scheduler {
  readonly seed: number
  readonly random: Random
  /** How many steps have been taken. */
  readonly taken: number
  /** Waits until it is this one's turn. The label stands in the trace. */
  step(label: string): Promise<void>
  /**
   * Runs the tasks until all have ended, letting one waiting step go on at a time. `idle` is called when none
   * waits and a task has not ended; it should bring things on, by moving a clock.
   *
   * A task that fails, or a standstill, is an error that names the seed and the last steps.
   */
  run(tasks: readonly (() => Promise<unknown>)[], idle?: () => Awaitable<void>): Promise<void>
}

/** A scheduler for one run: the same seed, the same order. */
export function scheduler(seed: number): Scheduler {
  const random = seededRandom(seed)
  const waiting: { readonly label: string; readonly go: () => void }[] = []
  const trace: string[] = []
  let taken = 0

  const failed = (why: string, cause?: unknown): Error =>
    new Error(`${why} (seed ${seed}; last steps: ${trace.slice(-20).join(', ') || 'none'})`, { cause })

  return {
    seed,
    random,
    get taken() {
      return taken
    },
    step(label) {
      const { promise, resolve } = deferred<void>()
      waiting.push({ label, go: resolve })
      return promise
    },
    async run(tasks, idle) {
      let running = tasks.length
      const ended = tasks.map((task) => task().finally(() => running--))
      const all = Promise.all(ended)
      all.catch(() => {})
      for (let idled = 0; ;) {
        await settle(20)
        if (running === 0 && waiting.length === 0) break
        const next = waiting.splice(Math.floor(random() * waiting.length), 1)[0]
        if (next !== undefined) {
          idled = 0
          taken++
          trace.push(next.label)
          next.go()
        } else if (idle === undefined || ++idled > 1000) throw failed('the tasks stand still')
        else await idle()
      }
      await all.catch((error: unknown) => {
        throw failed(error instanceof Error ? error.message : String(error), error)
      })
    },
  }
}

/**
 * The store as if it were far away: calls take effect one by one in the order they were made, each when the
 * scheduler says so, and answer when it says so again. Without a first tier in this process.
 */
export function distantStore(store: Store, { step }: Pick<Scheduler, 'step'>): Store {
  let last: Promise<unknown> = Promise.resolve()
  const far = <T>(label: string, call: () => Awaitable<T>): Promise<T> => {
    const effect = last.then(() => step(`${label} takes effect`)).then(call)
    last = effect.catch(() => {})
    return effect.then(async (answer) => {
      await step(`${label} answers`)
      return answer
    })
  }
  const { batch, keys } = store
  return {
    ...(store.tiers && { tiers: store.tiers }),
    get: (key) => far(`get ${key}`, () => store.get(key)),
    set: (key, entry) => far(`set ${key}`, () => store.set(key, entry)),
    delete: (key) => far(`delete ${key}`, () => store.delete(key)),
    clear: (prefix) => far('clear', () => store.clear(prefix)),
    close: () => store.close(),
    ...(batch && {
      batch: {
        getMany: (keys) => far('getMany', () => batch.getMany(keys)),
        setMany: (entries) => far('setMany', () => batch.setMany(entries)),
        deleteMany: (keys) => far('deleteMany', () => batch.deleteMany(keys)),
      },
    }),
    ...(keys && {
      keys: {
        async *scan(prefix, glob) {
          const listed = keys.scan(prefix, glob)[Symbol.asyncIterator]()
          for (;;) {
            const next = await far('scan', () => listed.next())
            if (next.done === true) return
            yield next.value
          }
        },
      },
    }),
  }
}
