import { randomUUID } from 'node:crypto'
import { redisUrl } from '@flow-cache/servers/vitest'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { client, until } from '../fleet.js'
import { build, type CacheProcess, startProcess } from '../processes.js'

beforeAll(build, 120_000)

let prefix: string
beforeEach(() => {
  prefix = `${randomUUID()}:`
})

const start = (options?: string): Promise<CacheProcess> =>
  startProcess(redisUrl(), prefix, options === undefined ? {} : { options })

const four = (options?: string): Promise<CacheProcess[]> =>
  Promise.all(Array.from({ length: 4 }, () => start(options)))

/** A hundred callers at once of a key whose load takes `ms`; answers with the values and how long the slowest took. */
const hundred = (key: string, ms: number): string => `
  const begun = performance.now()
  const load = async () => { tell('load ${key}'); await sleep(${ms}); return process.pid }
  const values = await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('${key}', load)))
  return { values: [...new Set(values)], ms: performance.now() - begun }`

interface Answer {
  readonly values: readonly number[]
  readonly ms: number
}

const loads = (processes: readonly CacheProcess[], key: string): number =>
  processes.flatMap(({ told }) => told).filter((word) => word === `load ${key}`).length

describe('fault 5: a herd', { timeout: 30_000 }, () => {
  it('four processes with a hundred callers each of a cold key: one load, ten times over', async () => {
    const processes = await four()
    // A process that has just begun compiles while it works.
    await Promise.all(processes.map(({ run }) => run(hundred('warm up', 1))))
    const slowest: number[] = []
    for (let round = 0; round < 10; round++) {
      const key = `key ${round}`
      const answers = (await Promise.all(processes.map(({ run }) => run(hundred(key, 200))))) as Answer[]
      expect(loads(processes, key)).toBe(1)
      expect(new Set(answers.flatMap(({ values }) => values)).size).toBe(1)
      slowest.push(Math.max(...answers.map(({ ms }) => ms)))
    }
    // The slowest waiters of the three best rounds: what else the machine does makes others slower.
    expect(slowest.toSorted((a, b) => a - b)[2]).toBeLessThan(200 + 150)
  })

  it('a load that takes longer than its lease: one load, as the lease is renewed', async () => {
    const processes = await four(`{ leaseTerm: '1s', timeouts: { store: '1s' } }`)
    const answers = (await Promise.all(processes.map(({ run }) => run(hundred('k', 3_500))))) as Answer[]
    expect(loads(processes, 'k')).toBe(1)
    expect(new Set(answers.flatMap(({ values }) => values)).size).toBe(1)
  })

  it('at the end of the ttl: one load', async () => {
    const processes = await four(`{ ttl: '400ms' }`)
    await Promise.all(processes.map(({ run }) => run(hundred('k', 20))))
    await processes[0]!.run('await sleep(800)')
    await Promise.all(processes.map(({ run }) => run(hundred('k', 50))))
    expect(loads(processes, 'k')).toBe(2)
  })

  it('after a FLUSHALL: one load', async () => {
    const processes = await four()
    await Promise.all(processes.map(({ run }) => run(hundred('k', 20))))
    const admin = client(redisUrl())
    // As good as a flush of everything, for this test's part of a server that others use.
    const keys = await admin.keys(`${prefix}*`)
    await admin.unlink(...keys)
    for (const { run } of processes) {
      await until(async () => (await run(`return cache.peek('k')`)) === undefined)
    }
    await Promise.all(processes.map(({ run }) => run(hundred('k', 50))))
    expect(loads(processes, 'k')).toBe(2)
  })

  it('the holder is killed while it loads: one more load, after its lease', async () => {
    const [holder, ...others] = await four(`{ leaseTerm: '1s', timeouts: { store: '1s' } }`)
    const first = holder!.run(hundred('k', 10_000)).catch(() => 'killed')
    await until(() => loads([holder!], 'k') === 1)
    const rest = others.map(({ run }) => run(hundred('k', 100)))
    holder!.kill('SIGKILL')
    expect(await first).toBe('killed')
    const answers = (await Promise.all(rest)) as Answer[]
    expect(loads(others, 'k')).toBe(1)
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(1_000 + 100 + 500)
  })
})

describe('fault 11: a holder that hangs past its lease', { timeout: 30_000 }, () => {
  it('neither takes the lease of the next one nor overwrites its value when it wakes up', async () => {
    const [holder, ...others] = await four(`{ leaseTerm: '1s', timeouts: { store: '1s' } }`)
    const first = holder!.run(hundred('k', 300)) as Promise<Answer>
    await until(() => loads([holder!], 'k') === 1)
    holder!.kill('SIGSTOP')
    const answers = (await Promise.all(others.map(({ run }) => run(hundred('k', 100))))) as Answer[]
    expect(loads(others, 'k')).toBe(1)
    const [value] = answers[0]!.values
    holder!.kill('SIGCONT')
    expect((await first).values).toEqual([holder!.pid])
    for (const { run } of [...others, holder!]) {
      expect(await run(`return cache.get('k')`)).toBe(value)
      expect(await run(`return cache.stats().fenced`)).toBe(run === holder!.run ? 1 : 0)
    }
  })
})

describe('fault 8: a process', { timeout: 30_000 }, () => {
  it('ends by itself after close(), whatever failed in the background', async () => {
    const one = await startProcess('redis://127.0.0.1:1', prefix)
    await one.run(`
      cache.on('error', () => { throw new Error('a listener') })
      cache.on('load', () => Promise.reject(new Error('another')))
      await cache.getOrSet('k', () => 1)
      await cache.set('l', 2)
      await cache.getOrSet('m', () => { throw new Error('no') }).catch(() => {})`)
    await one.run(`await cache.close(); setTimeout(() => process.disconnect(), 10)`)
    expect(await one.ended).toBe(0)
  })

  it('ends by itself after close() with a Redis that works', async () => {
    const one = await start()
    await one.run(
      `await cache.getOrSet('k', () => 1, { refreshAhead: 0.1 }); await cache.close(); setTimeout(() => process.disconnect(), 10)`,
    )
    expect(await one.ended).toBe(0)
  })
})
