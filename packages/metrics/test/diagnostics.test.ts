import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import { CacheMetrics } from '@flow-cache/metrics'
import { publishEvents } from '@flow-cache/metrics/diagnostics'
import { expect, it, onTestFinished } from 'vitest'

function listen(name: string): unknown[] {
  const told: unknown[] = []
  const listener = (message: unknown): void => void told.push(message)
  subscribe(name, listener)
  onTestFinished(() => void unsubscribe(name, listener))
  return told
}

it('publishes events and hits with the name of their cache, until it is stopped', async () => {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  const stop = publishEvents(new CacheMetrics({ users: cache }, { clock }))
  await cache.getOrSet('a', () => 1)
  const [hits, misses, sets] = ['hit', 'miss', 'set'].map((name) => listen(`flow-cache:${name}`))
  await cache.namespace('n').getOrSet('b', () => 1)
  await cache.getOrSet('a', () => 1)
  await cache.set('c', 1)
  const expected = [
    [{ cache: 'users', key: 'a', namespace: '', tier: 'map' }],
    [{ cache: 'users', key: 'b', namespace: 'n', joined: false }],
    [{ cache: 'users', key: 'c', namespace: '' }],
  ]
  expect([hits, misses, sets]).toEqual(expected)
  stop()
  await cache.getOrSet('a', () => 1)
  await cache.set('c', 1)
  expect([hits, misses, sets]).toEqual(expected)
})

it('makes no message that nobody subscribes to', async () => {
  const cache = createCache({ store: mapStore(fakeClock()) })
  publishEvents(new CacheMetrics(cache))
  expect(channel('flow-cache:hit').hasSubscribers).toBe(false)
  await cache.getOrSet('a', () => 1)
  expect(await cache.getOrSet('a', () => 2)).toBe(1)
})
