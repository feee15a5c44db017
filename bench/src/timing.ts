import { setImmediate as turn } from 'node:timers/promises'
import { quarter } from './statistics.js'

/** Does a thing `times` times, one after the other. */
export type Repeat = (times: number) => Promise<void> | void

const warmUp = 300
const batchMs = 20
const batches = 11

async function took(repeat: Repeat, times: number): Promise<number> {
  const start = process.hrtime.bigint()
  await repeat(times)
  return Number(process.hrtime.bigint() - start)
}

/** Warms it up and finds how many times fill a batch of about 20 ms. */
async function warm(repeat: Repeat): Promise<number> {
  let times = 16
  let perTime = 0
  for (const end = performance.now() + warmUp; performance.now() < end;) {
    perTime = (await took(repeat, times)) / times
    times = Math.max(16, Math.min(times * 4, Math.round((batchMs * 1e6) / perTime)))
    await turn()
  }
  return times
}

/**
 * Nanoseconds for one time, from several batches with a turn of the event loop between them. Another process
 * can only make a batch slower, so it is the one that a quarter of them do not exceed.
 */
export async function nanoseconds(repeat: Repeat): Promise<number> {
  const times = await warm(repeat)
  const samples: number[] = []
  for (let i = 0; i < batches; i++) {
    await turn()
    samples.push((await took(repeat, times)) / times)
  }
  return quarter(samples)
}
