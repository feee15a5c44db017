import { type Awaitable, CacheError, type Clock, type Timer } from '@flow-cache/core'
import type { Accepting } from './accepting.js'
import type { FlushReport } from './events.js'
import type { Flusher } from './flusher.js'
import type { Settings } from './options.js'
import { sleep } from './sleep.js'

/** How often it is looked whether others have finished, in milliseconds. */
const pause = 100

/** How long a journal is waited for after the deadline, in milliseconds. */
const patience = 5_000

/** Drains for `deadline` milliseconds at most, ends what runs, and closes the journal; answers with what is left. */
export async function closing<V>(
  settings: Settings<V>,
  accepting: Accepting<V>,
  flusher: Flusher<V>,
  deadline: number,
): Promise<FlushReport> {
  const { journal, clock } = settings
  const before = flusher.applied
  const closed = new CacheError('ERR_CLOSED', 'the cache is closed')
  const end = clock.now() + deadline
  accepting.close(closed)
  let isOver = deadline === 0
  const drained = isOver ? Promise.resolve() : drain(settings, accepting, flusher, () => isOver)
  if (deadline === Infinity) await drained
  else {
    let timer: Timer
    const over = new Promise<void>((resolve) => {
      timer = clock.setTimer(resolve, Math.max(0, end - clock.now()), true)
    })
    await Promise.race([drained, over])
    clock.clearTimer(timer)
    isOver = true
  }
  const answer = patiently(clock)
  await answer(() => flusher.stop(closed)).catch(() => undefined)
  const flushed = flusher.applied - before
  try {
    const { pending, deadLettered } = await answer(() => journal.counts())
    return { flushed, pending, dead: deadLettered }
  } finally {
    await answer(() => journal.close())
  }
}

/** Passes until nothing is pending. A journal that fails is asked again: it may be back before the deadline. */
async function drain<V>(
  { clock }: Settings<V>,
  accepting: Accepting<V>,
  flusher: Flusher<V>,
  isOver: () => boolean,
): Promise<void> {
  await accepting.settled()
  while (!isOver()) {
    const left = await flusher.flush().then(
      ({ pending }) => pending,
      // Closed by somebody else: no more is to be had of it.
      (error: unknown) => (error instanceof CacheError && error.code === 'ERR_CLOSED' ? 0 : undefined),
    )
    if (left === 0 || isOver()) return
    await sleep(clock, Math.max(1, Math.min(flusher.untilRetry, pause)))
  }
}

/** Waits for what a journal is asked, for so long from now on and all in all. */
function patiently(clock: Clock): <T>(ask: () => Awaitable<T>) => Promise<T> {
  const end = clock.now() + patience
  return async (ask) => {
    let timer: Timer
    const late = new Promise<never>((_, reject) => {
      const error = new CacheError('ERR_JOURNAL', `the journal has not answered for ${patience} ms`)
      timer = clock.setTimer(() => reject(error), Math.max(0, end - clock.now()), true)
    })
    try {
      return await Promise.race([(async () => ask())(), late])
    } finally {
      clock.clearTimer(timer)
    }
  }
}
