import { CacheError } from '@flow-cache/core'
import type { ReadsMany } from './origin.js'

/** Gathers single keys into calls for many. */
export interface Batcher<V> {
  /** The value that the batch brings for the key. Rejects with the signal's reason if it aborts before the call. */
  load(key: string, signal: AbortSignal): Promise<V | undefined>
}

/** Where a batch is told to begin: `start` is called once for each. */
export type Starter = (start: () => void) => void

interface Waiter<V> {
  readonly signal: AbortSignal
  readonly resolve: (value: V | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Keys that go to the origin together, each with those who wait for it. */
type Group<V> = Map<string, Waiter<V>[]>

/**
 * Keys that are asked for until the starter begins go to the origin together, `maxBatch` a call at most. A call that
 * fails is the failure of each of its keys, and of no other. The call's signal aborts when those of all its keys have.
 */
export function batcher<V>(origin: ReadsMany<V>, maxBatch: number, whenToStart: Starter): Batcher<V> {
  let group: Group<V> = new Map()

  const start = (): void => {
    const gathered = group
    group = new Map()
    for (const [key, waiters] of gathered) {
      const left = waiters.filter(({ signal }) => !signal.aborted)
      if (left.length < waiters.length) {
        for (const { signal, reject } of waiters) if (signal.aborted) reject(signal.reason)
      }
      if (left.length === 0) gathered.delete(key)
      else gathered.set(key, left)
    }
    const keys = [...gathered.keys()]
    for (let from = 0; from < keys.length; from += maxBatch) {
      void ask(origin, keys.slice(from, from + maxBatch), gathered)
    }
  }

  return {
    load(key, signal) {
      return new Promise((resolve, reject) => {
        if (group.size === 0) whenToStart(start)
        const waiters = group.get(key)
        const waiter = { signal, resolve, reject }
        if (waiters === undefined) group.set(key, [waiter])
        else waiters.push(waiter)
      })
    },
  }
}

async function ask<V>(origin: ReadsMany<V>, keys: readonly string[], group: Group<V>): Promise<void> {
  const waiting = keys.flatMap((key) => group.get(key)!)
  try {
    // A copy: many a `readMany` takes keys off the list as it goes.
    const values: unknown = await origin.readMany([...keys], { signal: whenAll(waiting) })
    if (!(values instanceof Map)) {
      throw new CacheError(
        'ERR_LOADER_RESULT',
        'readMany must answer with a Map of the values that are there',
      )
    }
    for (const key of keys)
      for (const { resolve } of group.get(key)!) resolve(values.get(key) as V | undefined)
  } catch (error) {
    for (const { reject } of waiting) reject(error)
  }
}

/** Aborts when every one has, with the last one's reason. */
function whenAll(waiting: readonly { readonly signal: AbortSignal }[]): AbortSignal {
  const controller = new AbortController()
  let left = waiting.length
  for (const { signal } of waiting) {
    signal.addEventListener(
      'abort',
      () => {
        if (--left === 0) controller.abort(signal.reason)
      },
      { once: true },
    )
  }
  return controller.signal
}

/**
 * How many turns of the microtask queue a miss may be behind the first one of its tick: some look into more places
 * before they know that they miss.
 */
const turns = 16

/** Begins when this tick's misses have been told. */
export const endOfTick: Starter = (start) => {
  let left = turns
  const turn = (): void => {
    if (--left > 0) queueMicrotask(turn)
    else start()
  }
  queueMicrotask(turn)
}
