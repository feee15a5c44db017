import { createCache } from '@flow-cache/core'
import { fakeClock, faultyStore, gate, mapStore, settle } from '@flow-cache/core/testing'
import { type AfterWrite, WriteAround, WriteThroughCache } from '@flow-cache/strategies'
import { describe, expect, it } from 'vitest'
import { table } from '../test/table.js'

function setUp(afterWrite: AfterWrite, settings: { onStoreError?: 'throw'; copy?: 'clone' } = {}) {
  const clock = fakeClock()
  const store = faultyStore(mapStore(clock))
  const cache = createCache({ store, clock, ttl: '1h', circuit: { failures: Infinity }, ...settings })
  const origin = table({ a: 'old' })
  return { clock, store, cache, origin, through: new WriteThroughCache({ cache, origin, afterWrite }) }
}

describe.each(['load', 'set'] as const)('WriteThroughCache, afterWrite %s', (afterWrite) => {
  it('writes the origin first, and the cache has the value when the write resolves', async () => {
    const { cache, origin, through } = setUp(afterWrite)
    let during: unknown
    await through.get('a')
    origin.before = async (what) => {
      if (what === 'write a') during = await cache.get('a')
    }
    await through.set('a', 'new')
    expect([during, origin.rows.get('a'), await cache.get('a')]).toEqual(['old', 'new', 'new'])
    await through.delete('a')
    expect([origin.rows.has('a'), await cache.has('a'), await through.get('a')]).toEqual([
      false,
      false,
      undefined,
    ])
  })

  it("throws the origin's own error and leaves the cache as it is", async () => {
    const { cache, origin, through } = setUp(afterWrite)
    await through.get('a')
    const error = new Error('the disk is full')
    origin.before = () => {
      throw error
    }
    await expect(through.set('a', 'new')).rejects.toBe(error)
    await expect(through.delete('a')).rejects.toBe(error)
    expect([origin.rows.get('a'), await cache.get('a')]).toEqual(['old', 'old'])
  })

  it('never leaves the old value when the cache fails after the origin took the new one', async () => {
    for (const fault of ['reject', 'throw', 'hang'] as const) {
      const { clock, store, origin, through } = setUp(afterWrite)
      await through.get('a')
      store.fail(fault)
      const written = through.set('a', 'new')
      await clock.advance(5_000)
      await written
      store.fail('none')
      expect(await through.get('a'), fault).toBe('new')
      expect(origin.rows.get('a')).toBe('new')
    }
  })

  it("says so where the cache is made with onStoreError: 'throw'", async () => {
    const { store, origin, through } = setUp(afterWrite, { onStoreError: 'throw' })
    await through.get('a')
    store.fail('reject')
    await expect(through.set('a', 'new')).rejects.toMatchObject({ code: 'ERR_STORE' })
    store.fail('none')
    expect([origin.rows.get('a'), await through.get('a')]).toEqual(['new', 'new'])
  })

  it('brings writes of one key in order, and holds up no other key', async () => {
    const { cache, origin, through } = setUp(afterWrite)
    const hold = gate()
    origin.before = (what) => (what === 'write a' && origin.asked.length === 1 ? hold.wait() : undefined)
    const first = through.set('a', '1')
    const second = through.set('a', '2')
    await through.set('b', 'B')
    expect(origin.rows.get('a')).toBe('old')
    hold.open()
    await Promise.all([first, second])
    expect([origin.rows.get('a'), await cache.get('a')]).toEqual(['2', '2'])
  })

  it('goes on after a write that failed', async () => {
    const { origin, through } = setUp(afterWrite)
    origin.before = (what) => {
      if (what === 'write a' && origin.asked.length === 1) throw new Error('once')
    }
    const results = await Promise.allSettled([through.set('a', '1'), through.set('a', '2')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(await through.get('a')).toBe('2')
  })

  it('does not write for a caller who left while waiting, and keeps the order of the others', async () => {
    const { origin, through } = setUp(afterWrite)
    const hold = gate()
    origin.before = (what) => (what === 'write a' && origin.asked.length === 1 ? hold.wait() : undefined)
    const leaver = new AbortController()
    const first = through.set('a', '1')
    const second = through.set('a', '2', { signal: leaver.signal })
    const third = through.set('a', '3')
    leaver.abort(new Error('left'))
    await expect(second).rejects.toThrow('left')
    await settle()
    expect(origin.asked).toEqual(['write a'])
    hold.open()
    await Promise.all([first, third])
    expect(origin.rows.get('a')).toBe('3')
    expect(origin.asked.filter((what) => what.startsWith('write'))).toHaveLength(2)
  })

  it('writes many with one call, and leaves no old entry whether it works or fails', async () => {
    const { cache, origin, through } = setUp(afterWrite)
    await through.get('a')
    await through.setMany({ a: '1', b: '1' })
    expect([await through.get('a'), await through.get('b')]).toEqual(['1', '1'])
    origin.writeMany = async ([entry]) => {
      origin.rows.set(...(entry as [string, string]))
      throw new Error('half of it')
    }
    await expect(
      through.setMany(
        new Map([
          ['a', '2'],
          ['b', '2'],
        ]),
      ),
    ).rejects.toThrow('half of it')
    expect([await through.get('a'), await through.get('b')]).toEqual(['2', '1'])
    await through.deleteMany(['a', 'b', 'a'])
    expect([origin.rows.size, await cache.has('a')]).toEqual([0, false])
  })

  it('writes many one by one where the origin cannot write many', async () => {
    const { cache, origin } = setUp(afterWrite)
    const { writeMany: _, ...single } = origin
    const through = new WriteThroughCache({ cache, origin: single, afterWrite })
    origin.before = (what) => {
      if (what === 'write a') throw new Error('not this one')
    }
    await expect(through.setMany({ a: '1', b: '1' })).rejects.toThrow('not this one')
    expect([origin.rows.get('a'), origin.rows.get('b')]).toEqual(['old', '1'])
  })

  it('asks the origin for nothing when the key is none', async () => {
    const { origin, through } = setUp(afterWrite)
    await expect(through.set('', 'x')).rejects.toThrow(TypeError)
    await expect(through.delete(7 as never)).rejects.toThrow(TypeError)
    await expect(through.setMany({ '': 'x' })).rejects.toThrow(TypeError)
    expect(origin.asked).toEqual([])
  })
})

it('a written value that the cache cannot keep is in the origin, and the old one is gone', async () => {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock, copy: 'clone' })
  const rows = new Map<string, unknown>([['a', 'old']])
  const through = new WriteThroughCache<unknown>({
    cache,
    afterWrite: 'set',
    origin: {
      read: (key) => rows.get(key),
      write: (key, value) => void rows.set(key, value),
      delete: (key) => void rows.delete(key),
    },
  })
  await through.get('a')
  await through.set('a', () => 'a function')
  expect([rows.get('a'), await cache.has('a')]).toEqual([expect.any(Function), false])
})

it('a failing load after a write does not fail the write', async () => {
  const { cache, origin, through } = setUp('load')
  origin.before = (what) => {
    if (what.startsWith('read')) throw new Error('the replica is down')
  }
  await through.set('a', 'new')
  expect([origin.rows.get('a'), await cache.has('a')]).toEqual(['new', false])
})

it('strategies that write beside one cache write one after the other, whichever they are', async () => {
  const { cache, origin, through } = setUp('set')
  const other = new WriteThroughCache({ cache, origin, afterWrite: 'set' })
  const around = new WriteAround({ cache, origin })
  let running = 0
  let most = 0
  origin.before = async () => {
    most = Math.max(most, ++running)
    await settle()
    running--
  }
  await Promise.all([through.set('a', '1'), other.set('a', '2'), around.set('a', '3'), through.set('a', '4')])
  expect([most, origin.rows.get('a'), await cache.get('a')]).toEqual([1, '4', '4'])
})

it('a write beside a closed cache is refused before the origin has it', async () => {
  const { cache, origin, through } = setUp('load')
  await cache.close()
  await expect(through.set('a', 'new')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  await expect(through.delete('a')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  await expect(through.setMany({ a: 'new' })).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  expect(origin.rows.get('a')).toBe('old')
})

it.each([['a'], [undefined], [null], [5]])('deleteMany(%j) is refused', async (keys) => {
  const { origin, through } = setUp('load')
  await expect(through.deleteMany(keys as never)).rejects.toThrow('keys must be an array')
  expect(origin.rows.has('a')).toBe(true)
})

it('deleteMany with one bad key deletes none', async () => {
  const { origin, through } = setUp('load')
  await expect(through.deleteMany(['a', 5 as never])).rejects.toThrow('a key must be')
  expect(origin.rows.has('a')).toBe(true)
})

describe('WriteAround', () => {
  it('removes the entry and lets the next read load it', async () => {
    const { cache, origin } = setUp('load')
    const around = new WriteAround({ cache, origin })
    await around.get('a')
    await around.set('a', 'new')
    expect([await cache.has('a'), origin.asked]).toEqual([false, ['read a', 'write a']])
    expect(await around.get('a')).toBe('new')
    await around.setMany([
      ['a', '3'],
      ['b', '3'],
    ])
    expect([await around.get('a'), await around.get('b')]).toEqual(['3', '3'])
    await around.delete('a')
    await around.deleteMany(['b'])
    expect([await around.get('a'), await around.get('b')]).toEqual([undefined, undefined])
  })

  it.each(['before the write', 'between the write and the removal'])(
    'does not keep what a load read %s',
    async (when) => {
      const { cache, origin } = setUp('load')
      const around = new WriteAround({ cache, origin })
      const [writing, reading] = [gate(), gate()]
      origin.write = async (key, value) => {
        if (when.startsWith('between')) origin.rows.set(key, value)
        await writing.wait()
        origin.rows.set(key, value)
      }
      origin.read = async (key) => {
        const value = origin.rows.get(key)
        await reading.wait()
        return value
      }
      const early = when.startsWith('before') ? around.get('a') : undefined
      const written = around.set('a', 'new')
      await writing.arrived
      const read = early ?? around.get('a')
      await reading.arrived
      writing.open()
      await written
      reading.open()
      await read
      expect(await around.get('a')).toBe('new')
    },
  )
})

it('a strategy that writes names the method that the origin lacks, and refuses words it does not know', () => {
  const { cache, origin } = setUp('load')
  expect(() => new WriteThroughCache({ cache, origin: { read: () => 1 } as never })).toThrow(/write$/)
  const { delete: _, ...half } = origin
  expect(() => new WriteAround({ cache, origin: half as never })).toThrow(/WriteAround needs .* delete$/)
  expect(() => new WriteThroughCache({ cache, origin, afterWrite: 'maybe' as never })).toThrow(/afterWrite/)
})
