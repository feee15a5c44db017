import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProxy } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { member, patient, until } from '../fleet.js'
import { build, startProcess } from '../processes.js'

beforeAll(build, 120_000)

let prefix: string
beforeEach(() => {
  prefix = `${randomUUID()}:`
})

const observer = () => member(redisUrl(), prefix, patient)

const proxyToRedis = () => startProxy(Number(new URL(redisUrl()).port))

describe('a process that is killed with a write under way', { timeout: 60_000 }, () => {
  it('leaves none behind that is done when its time is over', async () => {
    await using proxy = await proxyToRedis()
    const timeout = 500
    const one = await startProcess(proxy.url, prefix, { timeout })
    const other = observer()
    await until(async () => {
      // On a busy machine it may come too late.
      await one.run(`await cache.set('k', 'first')`)
      return (await other.get('k')) === 'first'
    })
    proxy.blackhole()
    one.run(`tell('sets'); await cache.set('k', 'zombie')`).catch(() => {})
    await until(() => one.told.includes('sets'))
    await sleep(50)
    one.kill('SIGKILL')
    expect(await one.ended).toBe('SIGKILL')
    await other.set('k', 'new')
    await sleep(timeout)
    proxy.heal()
    // What it had said, and that it is gone, has arrived.
    await until(() => proxy.connections.length === 0)
    expect(await other.get('k')).toBe('new')
    expect(await observer().get('k')).toBe('new')
  })

  it('leaves one that is still in time, and everybody learns of it', async () => {
    await using proxy = await proxyToRedis()
    const one = await startProcess(proxy.url, prefix)
    const others = [observer(), observer()]
    await one.run(`await cache.set('k', 'first')`)
    for (const other of others) await until(async () => (await other.get('k')) === 'first')
    proxy.delay(2_000, 0)
    one.run(`tell('sets'); await cache.set('k', 'last words')`).catch(() => {})
    await until(() => one.told.includes('sets'))
    await sleep(50)
    one.kill('SIGKILL')
    expect(await one.ended).toBe('SIGKILL')
    for (const other of others) expect(await other.get('k')).toBe('first')
    for (const other of others) {
      await until(async () => (await other.get('k')) === 'last words', 5_000, 'the old value is still served')
    }
  })

  it('at any moment of many changes, leaves all others of one mind', async () => {
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
    const observers = [observer(), observer()]
    for (let round = 0; round < 6; round++) {
      const doomed = await startProcess(redisUrl(), prefix)
      doomed
        .run(
          `
          tell('begins')
          for (let i = 0; ; i++) {
            const change = (key, j) => [
              () => cache.set(key, \`${round} \${i}\`, { tags: ['t'] }),
              () => cache.set(key, \`${round} \${i}\`),
              () => cache.delete(key),
              () => cache.getOrSet(key, () => \`${round} \${i} loaded\`),
              () => cache.invalidateTags(['t']),
            ][(i + j) % 5]()
            await Promise.all(${JSON.stringify(keys)}.map(change))
          }`,
        )
        .catch(() => {})
      await until(() => doomed.told.includes('begins'))
      for (let read = 0; read < 10 + round * 5; read++) {
        for (const one of observers) await one.getMany(keys)
      }
      doomed.kill('SIGKILL')
      expect(await doomed.ended).toBe('SIGKILL')
      const late = observer()
      const seen = async (): Promise<string[]> => {
        const all = await Promise.all([late, ...observers].map((cache) => cache.getMany(keys)))
        return all.map((values) => JSON.stringify(keys.map((key) => values.get(key))))
      }
      await until(async () => new Set(await seen()).size === 1, 2_000, 'they do not agree')
      await late.close()
    }
  })
})
