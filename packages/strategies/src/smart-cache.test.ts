import { createCache } from '@flow-cache/core'
import { fakeClock, faultyStore, gate, mapStore } from '@flow-cache/core/testing'
import { SmartCache, type SmartCacheOptions } from '@flow-cache/strategies'
import { describe, expect, it } from 'vitest'

function setUp(options: Partial<SmartCacheOptions> = {}) {
  const clock = fakeClock()
  const store = faultyStore(mapStore(clock))
  const cache = createCache({ store, clock, ttl: '1h' })
  return { clock, store, cache, smart: new SmartCache({ cache, ...options }) }
}

describe('SmartCache', () => {
  it('ends everything that depends on what is invalidated, and answers with what it took', async () => {
    const { smart } = setUp()
    await smart.set('user', 'Ada')
    await smart.set('posts', ['hello'], { dependsOn: ['user'] })
    await smart.set('page', '<h1>', { dependsOn: ['posts'] })
    await smart.set('other', 'stays')
    expect(await smart.invalidate('user')).toEqual(['user', 'posts', 'page'])
    for (const key of ['user', 'posts', 'page']) expect(await smart.get(key), key).toBeUndefined()
    expect(await smart.get('other')).toBe('stays')
    expect(await smart.invalidate('user')).toEqual([])
  })

  it('answers in full again when everything was loaded anew', async () => {
    const { smart } = setUp()
    for (let round = 0; round < 3; round++) {
      await smart.getOrSet('b', () => 1, { dependsOn: ['a'] })
      await smart.set('c', 1, { dependsOn: ['b'] })
      expect(await smart.invalidate('a'), `round ${round}`).toEqual(['b', 'c'])
    }
  })

  it('keeps nothing that was made from a value with more ancestors than can be kept track of', async () => {
    const { smart } = setUp({ maxAncestors: 3 })
    let truth = 'old'
    const rows = ['r1', 'r2', 'r3', 'r4']
    const total = () => smart.getOrSet('total', () => truth, { dependsOn: rows })
    const page = () => smart.getOrSet('page', async () => `<${await total()}>`, { dependsOn: ['total'] })
    const site = () => smart.getOrSet('site', async () => `site ${await page()}`, { dependsOn: ['page'] })
    expect(await site()).toBe('site <old>')
    truth = 'new'
    await smart.invalidate('r4')
    expect(await site()).toBe('site <new>')
    // With fewer of them, all is kept again, and ends.
    await smart.set('total', 'few', { dependsOn: ['r1'] })
    await site()
    expect(await smart.get('page')).toBe('<few>')
    await smart.invalidate('r1')
    expect([await smart.get('page'), await smart.get('total')]).toEqual([undefined, undefined])
  })

  it('ends the key alone without cascade', async () => {
    const { smart } = setUp()
    await smart.set('a', 1)
    await smart.set('b', 2, { dependsOn: ['a'] })
    expect(await smart.invalidate('a', { cascade: false })).toEqual(['a'])
    expect([await smart.get('a'), await smart.get('b')]).toEqual([undefined, 2])
    expect(await smart.delete('b')).toBe(true)
    expect(await smart.invalidate('a', { cascade: true })).toEqual([])
  })

  it('goes through cycles, diamonds and a hundred levels', async () => {
    const { smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['c'] })
    await smart.set('b', 1, { dependsOn: ['a'] })
    await smart.set('c', 1, { dependsOn: ['b'] })
    // The circle closed after a and b were put in: they know of it from now on.
    await smart.set('a', 2, { dependsOn: ['c'] })
    await smart.set('b', 2, { dependsOn: ['a'] })
    await smart.set('c', 2, { dependsOn: ['b'] })
    expect((await smart.invalidate('b')).toSorted()).toEqual(['a', 'b', 'c'])

    await smart.set('top', 1)
    for (const side of ['left', 'right']) await smart.set(side, 1, { dependsOn: ['top'] })
    await smart.set('bottom', 1, { dependsOn: ['left', 'right'] })
    expect((await smart.invalidate('top')).toSorted()).toEqual(['bottom', 'left', 'right', 'top'])

    await smart.set('level 0', 0)
    for (let i = 1; i <= 100; i++) await smart.set(`level ${i}`, i, { dependsOn: [`level ${i - 1}`] })
    expect(await smart.invalidate('level 0')).toHaveLength(101)
    expect(await smart.get('level 100')).toBeUndefined()
  })

  it('closes a circle without answering with anything old', async () => {
    const { smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['b'] })
    await smart.set('b', 1, { dependsOn: ['a'] })
    await smart.invalidate('a')
    expect([await smart.get('a'), await smart.get('b')]).toEqual([undefined, undefined])
    await smart.set('self', 1, { dependsOn: ['self'] })
    expect(await smart.invalidate('self')).toEqual(['self'])
  })

  it('depends on what it was last written with, and on no name before', async () => {
    const { smart } = setUp()
    await smart.set('page', 1, { dependsOn: ['draft'] })
    await smart.set('page', 2, { dependsOn: ['post'] })
    expect(await smart.invalidate('draft')).toEqual([])
    expect(await smart.get('page')).toBe(2)
    expect((await smart.getEntry('page'))?.dependsOn).toEqual(['post'])
    expect(await smart.invalidate('post')).toEqual(['page'])
  })

  it('ends what depends on a key that comes to depend on more', async () => {
    const { smart } = setUp()
    await smart.set('menu', 1)
    await smart.set('page', 1, { dependsOn: ['menu'] })
    await smart.set('menu', 2, { dependsOn: ['prices'] })
    expect(await smart.get('page')).toBeUndefined()
    await smart.set('page', 2, { dependsOn: ['menu'] })
    await smart.set('menu', 3, { dependsOn: ['prices'] })
    expect(await smart.get('page')).toBe(2)
    expect((await smart.invalidate('prices')).toSorted()).toEqual(['menu', 'page'])
  })

  it('knows what came above a key after the key was put in', async () => {
    const { smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['e'] })
    await smart.set('e', 1, { dependsOn: ['c'] })
    await smart.set('b', 1, { dependsOn: ['a'] })
    expect(await smart.invalidate('c')).toEqual(['e', 'b'])
  })

  it('remembers what a key depends on when its entry is gone', async () => {
    const { smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['root'] })
    await smart.delete('a')
    await smart.set('b', 1, { dependsOn: ['a'] })
    expect(await smart.invalidate('root')).toEqual(['b'])
  })

  it('takes what a loader says it depends on, and loads once for all who ask', async () => {
    const { smart } = setUp()
    let loads = 0
    const read = () =>
      smart.getOrSet(
        'page',
        ({ dependsOn }) => {
          dependsOn('a', 'b')
          return ++loads
        },
        { dependsOn: ['layout'] },
      )
    expect(await Promise.all([read(), read()])).toEqual([1, 1])
    expect(await read()).toBe(1)
    for (const [i, name] of ['a', 'b', 'layout'].entries()) {
      expect(await smart.invalidate(name)).toEqual(['page'])
      expect(await read()).toBe(i + 2)
    }
  })

  it('does not keep what was loaded from something invalidated meanwhile', async () => {
    const { cache, smart } = setUp()
    for (const early of [true, false]) {
      await smart.set('user', 'old', { dependsOn: ['table'] })
      const hold = gate()
      const read = smart.getOrSet(
        'page',
        async ({ dependsOn }) => {
          const value = `page of ${await smart.get<string>('user')}`
          if (!early) dependsOn('user')
          await hold.wait()
          return value
        },
        early ? { dependsOn: ['user'] } : {},
      )
      await hold.arrived
      await smart.invalidate('table')
      hold.open()
      expect(await read).toBe('page of old')
      expect(await cache.has('page')).toBe(false)
    }
  })

  it('treats as stale what isStale refuses, and loads it anew once', async () => {
    const seen: string[][] = []
    let version = 1
    const { smart } = setUp({
      isStale: ({ key, value, dependsOn }) => {
        seen.push([key, ...dependsOn])
        return (value as { version: number }).version < version
      },
    })
    let loads = 0
    const read = () =>
      smart.getOrSet('k', () => ({ version, load: ++loads }), { dependsOn: ['p'], grace: '1m' })
    await read()
    await read()
    expect([loads, seen[0]]).toEqual([1, ['k', 'p']])
    version = 2
    expect((await smart.getEntry('k'))?.state).toBe('stale')
    expect(await smart.get('k')).toBeUndefined()
    expect(await Promise.all([read(), read(), read()])).toEqual(
      [1, 2, 3].map(() => ({ version: 2, load: 2 })),
    )
    expect(await smart.get('k')).toEqual({ version: 2, load: 2 })
  })

  it('never answers with something old, although the store lost every part of its index', async () => {
    const { cache, smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['root'] })
    await smart.set('b', 1, { dependsOn: ['a'] })
    await cache.namespace('dependencies').clear()
    await smart.invalidate('root')
    expect([await smart.get('a'), await smart.get('b')]).toEqual([undefined, undefined])

    await smart.set('a', 2, { dependsOn: ['root'] })
    await cache.namespace('dependencies').clear()
    // What the entry itself says stands in for what was lost.
    await smart.set('b', 2, { dependsOn: ['a'] })
    await smart.invalidate('root')
    expect(await smart.get('b')).toBeUndefined()
  })

  it('keeps nothing whose dependencies it could not look up, and the loader still answers', async () => {
    const { clock, store, smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['root'] })
    const read = smart.getOrSet(
      'b',
      () => {
        store.fail('reject')
        return 2
      },
      { dependsOn: ['a'] },
    )
    expect(await read).toBe(2)
    store.fail('none')
    await clock.advance(10_000)
    await smart.invalidate('root')
    expect(await smart.get('b')).toBeUndefined()
  })

  it('keeps nothing that depends on more names than maxAncestors, and bounds its lists', async () => {
    const { smart } = setUp({ maxAncestors: 3, maxDependents: 16 })
    await smart.set('wide', 1, { dependsOn: ['a', 'b', 'c', 'd'] })
    expect(await smart.get('wide')).toBeUndefined()
    expect(await smart.getOrSet('wide', () => 2, { dependsOn: ['a', 'b', 'c', 'd'] })).toBe(2)
    expect(await smart.get('wide')).toBeUndefined()
    for (let i = 0; i < 100; i++) await smart.set(`child ${i}`, i, { dependsOn: ['parent'] })
    expect((await smart.invalidate('parent')).length).toBeLessThanOrEqual(16)
    for (let i = 0; i < 100; i++) expect(await smart.get(`child ${i}`)).toBeUndefined()
  })

  it('keeps no index for longer than it is to remember, and stays right afterwards', async () => {
    const { clock, cache, smart } = setUp({ remember: '2h' })
    for (let i = 0; i < 50; i++) {
      await smart.set(`child ${i}`, i, { dependsOn: ['a'] })
      await smart.delete(`child ${i}`)
    }
    await smart.set('a', 1, { dependsOn: ['root'], ttl: '1d' })
    await smart.set('b', 1, { dependsOn: ['a'], ttl: '1d' })
    await clock.advance(3 * 3_600_000)
    const index = cache.namespace('dependencies')
    expect(await index.has('of child 7')).toBe(false)
    expect(await index.has('of b')).toBe(false)
    await smart.set('c', 1, { dependsOn: ['b'] })
    await smart.invalidate('root')
    for (const key of ['a', 'b', 'c']) expect(await smart.get(key), key).toBeUndefined()
  })

  it('leaves the tags of the caller as they are, and options of a set', async () => {
    const { clock, cache, smart } = setUp()
    await smart.set('a', 1, { dependsOn: ['x'], tags: ['mine'], ttl: 10 })
    await cache.invalidateTags(['mine'])
    expect(await smart.get('a')).toBeUndefined()
    await smart.set('a', 1, { dependsOn: ['x'], ttl: 10 })
    await clock.advance(11)
    expect(await smart.get('a')).toBeUndefined()
  })

  it('refuses what is wrong', async () => {
    const { cache, smart } = setUp()
    await expect(smart.set('a', 1, { dependsOn: 'b' as never })).rejects.toThrow(/dependsOn/)
    await expect(smart.getOrSet('a', () => 1, { dependsOn: [''] })).rejects.toThrow(/dependsOn/)
    await expect(smart.getOrSet('a', 1 as never)).rejects.toThrow(/loader/)
    await expect(smart.invalidate('')).rejects.toThrow(TypeError)
    expect(() => new SmartCache({ cache, isstale: 1 } as never)).toThrow(/unknown option 'isstale'/)
    expect(() => new SmartCache({ cache, isStale: true as never })).toThrow(/isStale/)
    expect(() => new SmartCache({ cache, maxAncestors: 0 })).toThrow(/maxAncestors/)
  })
})
