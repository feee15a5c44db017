import { gate } from '@flow-cache/core/testing'
import type { MultiLevelCache } from '@flow-cache/multilevel'
import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, expect, it } from 'vitest'
import { pair } from '../fleet.js'

/** Every way to make a value outdated. */
const changes: Record<string, (cache: MultiLevelCache) => unknown> = {
  set: (cache) => cache.set('k', 'new'),
  setMany: (cache) => cache.setMany({ k: 'new', l: 1 }),
  delete: (cache) => cache.delete('k'),
  deleteMany: (cache) => cache.deleteMany(['k', 'l']),
  expire: (cache) => cache.expire('k'),
  'a tag': (cache) => cache.invalidateTags(['t']),
  clear: (cache) => cache.clear(),
  clearPattern: (cache) => cache.clearPattern('k*'),
}

describe('fault 1: a value that was invalidated while it was loaded', { timeout: 30_000 }, () => {
  describe.each(['by the process that loads', 'by another process'])('%s', (who) => {
    it.each(Object.entries(changes))(
      'with %s is not stored, and nobody who asks later gets it',
      async (_, change) => {
        const { a, b } = pair(redisUrl())
        let truth = 'old'
        const { wait, open, arrived } = gate()
        const slow = async (): Promise<string> => {
          const read = truth
          await wait()
          return read
        }
        const first = a.getOrSet('k', slow, { tags: ['t'] })
        await arrived
        truth = 'new'
        await change(who === 'by another process' ? b : a)
        const load = (): string => truth
        expect(await b.getOrSet('k', load, { tags: ['t'] })).toBe('new')
        open()
        expect(await first).toBe('old')
        for (const cache of [a, b, a]) expect(await cache.getOrSet('k', load, { tags: ['t'] })).toBe('new')
        expect(await a.get('k')).toBe('new')
      },
    )
  })

  it('a refresh in the background is fenced too', async () => {
    const { a, b } = pair(redisUrl(), { refreshAhead: 1e-9, ttl: '1h' })
    await a.set('k', 'old')
    // An entry is made in the millisecond that begins next; before that no refresh is due.
    await new Promise((resolve) => setTimeout(resolve, 5))
    const { wait, open, arrived } = gate()
    expect(await a.getOrSet('k', () => wait().then(() => 'old again'))).toBe('old')
    await arrived
    await b.set('k', 'new')
    open()
    await a.drain()
    expect(await a.getOrSet('k', () => 'new', { refreshAhead: undefined })).toBe('new')
    expect(await b.get('k')).toBe('new')
  })

  it('what finishes behind a soft timeout is fenced too', async () => {
    const { a, b } = pair(redisUrl(), { ttl: 1, grace: '1h', timeouts: { soft: 0 } })
    await a.set('k', 'old')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const { wait, open, arrived } = gate()
    expect(await a.getOrSet('k', () => wait().then(() => 'old again'))).toBe('old')
    await arrived
    await b.set('k', 'new', { ttl: '1h' })
    open()
    await a.drain()
    expect(await a.get('k')).toBe('new')
    expect(await b.get('k')).toBe('new')
  })

  it('a tag that the loader adds, and that was invalidated meanwhile, ends the value', async () => {
    const { a, b } = pair(redisUrl())
    await b.set('other', 1, { tags: ['late'] })
    const { wait, open, arrived } = gate()
    const first = a.getOrSet('k', async ({ options }) => {
      await wait()
      options.tags = ['late']
      return 'old'
    })
    await arrived
    await b.invalidateTags(['late'])
    open()
    expect(await first).toBe('old')
    expect(await a.getOrSet('k', () => 'new')).toBe('new')
  })
})
