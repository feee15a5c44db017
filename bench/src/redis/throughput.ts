import { setTimeout as pause } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Figures } from '../question.js'
import { quarter } from '../statistics.js'
import { callAll, inFlight } from './session.js'

const warmUp = 700
const batchMs = 80
const batches = 9

/**
 * How many calls a second, and the processor time of one: in this process and in the server, in microseconds. Of
 * several batches the one that a quarter of them does not exceed in time, and the same for processor time.
 */
export async function throughput(
  admin: Redis,
  call: () => Promise<unknown>,
  atOnce: number = inFlight,
): Promise<Figures> {
  const least = Math.max(256, atOnce)
  let count = least
  for (const end = performance.now() + warmUp; performance.now() < end;) {
    const start = performance.now()
    await callAll(count, call, atOnce)
    const each = (performance.now() - start) / count
    count = Math.max(least, Math.min(count * 4, Math.round(batchMs / each)))
  }
  const seconds: number[] = []
  const own: number[] = []
  const servers = await serverTime(admin)
  for (let i = 0; i < batches; i++) {
    await pause(1)
    const cpu = process.cpuUsage()
    const start = performance.now()
    await callAll(count, call, atOnce)
    seconds.push((performance.now() - start) / 1000 / count)
    const { user, system } = process.cpuUsage(cpu)
    own.push((user + system) / count)
  }
  const server = ((await serverTime(admin)) - servers) / (batches * count)
  return { rate: 1 / quarter(seconds), own: quarter(own), server }
}

/** The processor time that the server has taken, in microseconds. */
async function serverTime(admin: Redis): Promise<number> {
  const info = await admin.info('cpu')
  const seconds = (name: string): number => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)![1])
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
}
