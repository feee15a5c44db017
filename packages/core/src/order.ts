import { ignore, isPromise } from './awaitable.js'
import type { Awaitable } from './store.js'
import { UnderWay } from './under-way.js'

/** Keeps changes of a key in the order in which they were asked for, also where preparing one takes its time. */
export class Order {
  /** What ends when the change of a key that was asked for last has been handed to the store. */
  readonly #handing = new UnderWay<Promise<unknown>>()

  /**
   * Changes keys as soon as it is prepared, and never before a change of one of them that was asked for earlier: the
   * store keeps the order from there on. Where nothing has to be waited for, all of it happens at once.
   */
  take<P, T>(
    storeKeys: readonly string[],
    prepare: () => Awaitable<P>,
    change: (prepared: P) => Awaitable<T>,
  ): Awaitable<T> {
    const before = this.handed(storeKeys)
    const prepared = before === undefined ? prepare() : before.then(prepare)
    if (!isPromise(prepared)) return change(prepared)
    let answer: Awaitable<T>
    const handed = Promise.resolve(prepared).then((value) => {
      answer = change(value)
      if (isPromise(answer)) void Promise.resolve(answer).catch(ignore)
    })
    const over = handed.catch(ignore).then(() => {
      for (const storeKey of storeKeys) {
        if (this.#handing.get(storeKey) === over) this.#handing.delete(storeKey)
      }
    })
    for (const storeKey of storeKeys) this.#handing.set(storeKey, over)
    return handed.then(() => answer)
  }

  /** Resolves when what was asked for these keys, or for all, is in the hands of the store; `undefined`: it is. */
  handed(storeKeys?: readonly string[]): Promise<unknown> | undefined {
    if (this.#handing.size === 0) return undefined
    const all =
      storeKeys?.map((storeKey) => this.#handing.get(storeKey)) ?? [...this.#handing].map(([, one]) => one)
    return all.some((one) => one !== undefined) ? Promise.all(all) : undefined
  }
}
