import { MultiLevelCache } from '@flow-cache/multilevel'
import { memoryStore } from '@flow-cache/memory'
import { RedisCache, redisStore } from '@flow-cache/redis'
import { startRedis } from '@flow-cache/servers'
import { redisUrl } from '@flow-cache/servers/vitest'
import { Redis } from 'ioredis'
import { expect, it, vi } from 'vitest'

const patient = { timeouts: { store: '10s' }, leaseTerm: '20s' } as const

it('one value that cannot be kept keeps all that are set together from being written', async () => {
  await using cache = new RedisCache({ ...patient, url: redisUrl(), prefix: `refused ${process.pid}:` })
  await cache.set('a', 'before')
  const entries = [
    ['a', 1],
    ['b', Symbol('none')],
    ['c', 3],
  ] as const
  await expect(cache.setMany(entries)).rejects.toMatchObject({ code: 'ERR_VALUE' })
  // What was there goes or stays, and nothing new is there.
  expect([...(await cache.getMany(['a', 'b', 'c'])).values()].filter((value) => value !== 'before')).toEqual(
    [],
  )
})

it('a value that cannot be kept leaves no lease for others to wait for', async () => {
  const options = { ...patient, url: redisUrl(), prefix: `lease ${process.pid}:` }
  await using cache = new RedisCache(options)
  await using other = new RedisCache(options)
  await expect(cache.getOrSet('k', () => () => 1)).rejects.toMatchObject({ code: 'ERR_VALUE' })
  await cache.drain()
  const started = performance.now()
  expect(await other.getOrSet('k', () => 'v')).toBe('v')
  // The lease is for 20 seconds.
  expect(performance.now() - started).toBeLessThan(10_000)
})

it('a user who may not read the log is told of it, and memory is not used meanwhile', async () => {
  await using server = await startRedis()
  const admin = new Redis(server.url)
  await admin.call('ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '+@all', '-xread')
  const url = server.url.replace('redis://', 'redis://blind:secret@')
  const errors: { during: string }[] = []
  await using blind = new MultiLevelCache({
    ...patient,
    tiers: [memoryStore(), redisStore({ url })],
  })
  blind.on('error', (event) => errors.push(event))
  await using seeing = new RedisCache({ ...patient, url: server.url })
  await seeing.set('k', 1)
  expect(await blind.get('k')).toBe(1)
  await vi.waitFor(() => expect(errors).toMatchObject([{ during: 'follow the log' }]), { timeout: 20_000 })
  await seeing.set('k', 2)
  expect(await blind.get('k')).toBe(2)
  expect(blind.peek('k')).toBeUndefined()
  // Once it may, memory is used again.
  await admin.call('ACL', 'SETUSER', 'blind', '+xread')
  await vi.waitFor(
    async () => {
      await blind.get('k')
      expect(blind.peek('k')).toBe(2)
    },
    { timeout: 20_000 },
  )
  await admin.quit()
}, 60_000)

it('a server without room is still read from', async () => {
  await using server = await startRedis()
  const admin = new Redis(server.url)
  await using cache = new RedisCache({ ...patient, url: server.url })
  await cache.setMany(Array.from({ length: 50 }, (_, i) => [`k${i}`, i]))
  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  await admin.config('SET', 'maxmemory', '1')
  const codes = new Set<unknown>()
  cache.on('error', ({ error }) => codes.add((error as { code?: unknown }).code))
  const states: string[] = []
  cache.on('circuit', ({ state }) => states.push(state))
  for (let i = 0; i < 50; i++) {
    expect(await cache.getOrSet(`new ${i}`, () => 'loaded')).toBe('loaded')
    expect(await cache.getOrSet(`k${i}`, () => 'loaded')).toBe(i)
  }
  expect([...codes]).toEqual(['ERR_STORE_FULL'])
  expect(states).toEqual([])
  await admin.quit()
}, 60_000)

it('a change that the log cannot take is not made', async () => {
  await using server = await startRedis()
  const admin = new Redis(server.url)
  await admin.call('ACL', 'SETUSER', 'mute', 'on', '>secret', '~*', '+@all', '-xadd')
  await using seeing = new RedisCache({ ...patient, url: server.url })
  await seeing.set('k', 1)
  const url = server.url.replace('redis://', 'redis://mute:secret@')
  await using mute = new RedisCache({ ...patient, url, onStoreError: 'throw' })
  await expect(mute.set('k', 2)).rejects.toMatchObject({ code: 'ERR_STORE' })
  expect(await seeing.get('k')).toBe(1)
  await admin.quit()
}, 60_000)
