import { setTimeout as sleep } from 'node:timers/promises'
import { createEntry, type Entry, type Store } from '@flow-cache/core'
import { redisStore } from '@flow-cache/redis'
import { type Proxy, type RedisServer, startProxy, startRedis } from '@flow-cache/servers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

let server: RedisServer
let proxy: Proxy
let near: Store
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())
beforeEach(async () => {
  proxy = await startProxy(server.port)
  near = redisStore({ url: server.url, timeout: '10s' })
})
afterEach(async () => {
  await near.close()
  await proxy.close()
})

/** How long a write may take, in milliseconds. */
const timeout = 1_000

/** A store whose lines go through the proxy. */
function far(): Store {
  const store = redisStore({ url: proxy.url, timeout })
  onTestFinished(() => store.close())
  return store
}

const entry = (value: unknown): Entry => createEntry({ value, createdAt: Date.now(), ttl: 60_000 })

const valueOf = async (store: Store): Promise<unknown> => (await store.get('k'))?.value

const outcome = (call: unknown): Promise<string> =>
  Promise.resolve(call).then(
    () => 'done',
    (error: unknown) => String(error),
  )

/** By how much a line is slower, one way or the other: what is known of the server's time is wrong by half of it. */
const ways: [way: string, toServer: number, toClient: number][] = [
  ['to the server', 200, 0],
  ['from the server', 0, 200],
  ['both ways', 100, 100],
]

describe('a line that is slow', { timeout: 30_000 }, () => {
  it.each(ways)('%s: a write in time is done', async (_, toServer, toClient) => {
    proxy.delay(toServer, toClient)
    const store = far()
    await store.get('k')
    await store.set('k', entry('in time'))
    expect(await valueOf(near)).toBe('in time')
  })

  it.each(ways)('%s: a write that comes when its time is over is not done', async (_, toServer, toClient) => {
    proxy.delay(toServer, toClient)
    const store = far()
    await store.get('k')
    proxy.blackhole()
    const late = outcome(store.set('k', entry('late')))
    // Who set it has given up, and another process has changed the key since.
    await sleep(timeout + 5)
    await near.set('k', entry('new'))
    proxy.heal()
    expect(await late).toContain('LATE')
    expect(await valueOf(near)).toBe('new')
  })
})

it('a first answer that took its time has no write refused that is in time', async () => {
  proxy.delay(0, timeout + 200)
  const store = far()
  await store.get('k')
  proxy.delay(0)
  for (const value of ['first', 'second']) {
    await store.set('k', entry(value))
    expect(await valueOf(near)).toBe(value)
  }
})

it('a write whose line broke behind it fails when it can no longer be done, and not before', async () => {
  const store = far()
  await store.set('k', entry('before'))
  for (let round = 0; round < 2; round++) {
    proxy.delay(timeout / 2, 0)
    const broken = outcome(store.set('k', entry('broken')))
    await sleep(timeout / 4)
    proxy.hangUp()
    expect(await broken).not.toBe('done')
    await near.set('k', entry('new'))
    // What was said before the line broke has arrived by now.
    await sleep(timeout)
    expect(await valueOf(near)).toBe('new')
    proxy.heal()
    await expect.poll(() => outcome(store.get('k'))).toBe('done')
  }
})
