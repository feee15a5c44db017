import { UnderWay } from '@flow-cache/core'

/** Has tasks for one key run one after the other, in the order they were given. */
export interface InOrder {
  /**
   * Runs the task when every earlier one for any of the keys has ended, however it ended. If the signal aborts before
   * its turn, it is not run and the answer is a rejection with the reason.
   */
  run<T>(keys: readonly string[], task: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** Keeps no more than there are tasks that wait or run. */
export function inOrder(): InOrder {
  /** For each key, what ends with its last task. */
  const last = new UnderWay<Promise<void>>()

  return {
    async run(keys, task, signal) {
      const before = keys.map((key) => last.get(key)).filter((one) => one !== undefined)
      let end!: () => void
      const ended = new Promise<void>((resolve) => (end = resolve))
      for (const key of keys) last.set(key, ended)
      const turn = before.length === 0 ? undefined : Promise.all(before)
      // Whoever leaves early still keeps its place: what comes after it must not overtake what was before it.
      const leave = (): void => {
        for (const key of keys) if (last.get(key) === ended) last.delete(key)
        end()
      }
      try {
        if (turn !== undefined) await orAbort(turn, signal)
        signal?.throwIfAborted()
      } catch (error) {
        void Promise.resolve(turn).then(leave)
        throw error
      }
      try {
        return await task()
      } finally {
        leave()
      }
    },
  }
}

async function orAbort(turn: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await turn
    return
  }
  let leave!: () => void
  const left = new Promise<void>((resolve) => (leave = resolve))
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  await Promise.race([turn, left])
  signal.removeEventListener('abort', leave)
}
