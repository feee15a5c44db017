import { describe, expect, it } from 'vitest'
import {
  type Cache,
  type CacheEvents,
  type CacheOptions,
  createCache,
  type Schema,
  type Store,
} from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'

interface User {
  readonly name: string
}

/** A Standard Schema by hand, and how often it was asked. */
function userSchema(): Schema<User> & { asked: number } {
  const schema = {
    asked: 0,
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate(value: unknown) {
        schema.asked++
        const { name } = (value ?? {}) as { name?: unknown }
        if (typeof name !== 'string') return { issues: [{ message: 'name must be a string' }] }
        return { value: { name: name.trim() } }
      },
    },
  }
  return schema
}

/** Two caches over one store, as two releases of a program: what one wrote comes to the other from outside. */
function releases(
  older: Partial<CacheOptions>,
  newer: Partial<CacheOptions>,
): { old: Cache; now: Cache; store: Store; poisoned: CacheEvents['poisoned'][] } {
  const clock = fakeClock()
  const store = mapStore(clock)
  const old = createCache({ store, clock, ...older })
  const now = createCache({ store, clock, ...newer })
  const poisoned: CacheEvents['poisoned'][] = []
  now.on('poisoned', (event) => poisoned.push(event))
  return { old, now, store, poisoned }
}

describe('schema', () => {
  it('what it returns is the value, and it is asked once an entry', async () => {
    const schema = userSchema()
    const { old, now } = releases({}, { schema })
    await old.set('k', { name: ' Ada ' })
    expect(await now.get('k')).toEqual({ name: 'Ada' })
    expect(await now.getOrSet('k', () => ({ name: 'never' }))).toEqual({ name: 'Ada' })
    expect([...(await now.getMany(['k']))]).toEqual([['k', { name: 'Ada' }]])
    expect(schema.asked).toBe(1)
    expect(now.stats().loads).toBe(0)
  })

  it('a value that fails is a miss, told and removed', async () => {
    const { old, now, poisoned } = releases({}, { schema: userSchema() })
    await old.set('k', { name: 1 })
    expect(await now.get('k')).toBeUndefined()
    expect(poisoned).toHaveLength(1)
    expect(poisoned[0]).toMatchObject({ key: 'k', namespace: '', error: { code: 'ERR_SCHEMA', key: 'k' } })
    expect((poisoned[0]!.error as Error).message).toContain('name must be a string')
    expect(await old.has('k')).toBe(false)
  })

  it('a value that fails is loaded anew', async () => {
    const { old, now, poisoned } = releases({}, { schema: userSchema() })
    await old.set('k', 'nonsense')
    expect(await now.getOrSet('k', () => ({ name: 'Ada' }))).toEqual({ name: 'Ada' })
    expect(await now.get('k')).toEqual({ name: 'Ada' })
    expect(poisoned).toHaveLength(1)
    expect(now.stats()).toMatchObject({ loads: 1, errors: 0 })
  })

  it("is not asked of this process's own values", async () => {
    const schema = userSchema()
    const { now } = releases({}, { schema })
    await now.set('set', { name: 'Ada' })
    await now.getOrSet('loaded', () => ({ name: 'Ada' }))
    expect(await now.get('set')).toEqual({ name: 'Ada' })
    expect(await now.get('loaded')).toEqual({ name: 'Ada' })
    expect(schema.asked).toBe(0)
  })

  it('that throws or rejects is a miss, never an error to the caller', async () => {
    for (const validate of [
      () => {
        throw new Error('bug')
      },
      () => Promise.reject(new Error('bug')),
    ]) {
      const schema: Schema = { '~standard': { version: 1, vendor: 'test', validate } }
      const { old, now, poisoned } = releases({}, { schema })
      await old.set('k', 1)
      expect(await now.get('k')).toBeUndefined()
      expect(poisoned).toMatchObject([{ error: { message: 'bug' } }])
    }
  })

  it('may answer later', async () => {
    const schema: Schema = {
      '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: [value] }) },
    }
    const { old, now } = releases({}, { schema })
    await old.set('k', 1)
    expect(await now.get('k')).toEqual([1])
  })
})

describe('version', () => {
  it('another one is a miss without an event, and is loaded anew under this one', async () => {
    const { old, now, poisoned } = releases({ version: 1 }, { version: 2 })
    await old.set('k', 'old layout')
    expect(await now.get('k')).toBeUndefined()
    expect(await now.getOrSet('k', () => 'new layout')).toBe('new layout')
    expect(await now.get('k')).toBe('new layout')
    expect(await old.get('k')).toBeUndefined()
    expect(poisoned).toEqual([])
    expect(now.stats().loads).toBe(1)
  })

  it('of a release that gave none is another one too', async () => {
    const { old, now } = releases({}, { version: 'a' })
    await old.set('k', 1)
    expect(await now.has('k')).toBe(false)
  })

  it('of a call stands over that of the cache', async () => {
    const { now } = releases({}, { version: 2 })
    await now.set('k', 'three', { version: 3 })
    expect(await now.get('k')).toBeUndefined()
    expect(await now.getOrSet('k', () => 'never', { version: 3 })).toBe('three')
    expect(now.stats().loads).toBe(0)
  })
})

describe('migrate', () => {
  it('turns an older value into one of this version, once an entry', async () => {
    const seen: unknown[] = []
    const migrate = (value: unknown, version: unknown) => (seen.push([value, version]), { name: value })
    const { old, now } = releases({ version: 1 }, { version: 2, migrate })
    await old.set('k', 'Ada')
    expect(await now.get('k')).toEqual({ name: 'Ada' })
    expect(await now.getOrSet('k', () => 'never')).toEqual({ name: 'Ada' })
    expect(seen).toEqual([['Ada', 1]])
    expect(now.stats().loads).toBe(0)
  })

  it('is not asked of a value of this version', async () => {
    let asked = 0
    const { now } = releases({}, { version: 2, migrate: () => ++asked })
    await now.set('k', 'v')
    expect(await now.get('k')).toBe('v')
    expect(asked).toBe(0)
  })

  it('comes before the schema', async () => {
    const { old, now } = releases({}, { version: 2, migrate: (name) => ({ name }), schema: userSchema() })
    await old.set('k', ' Ada ')
    expect(await now.get('k')).toEqual({ name: 'Ada' })
  })

  it('that throws is a miss, told and removed', async () => {
    const bug = new Error('bug')
    const migrate = () => {
      throw bug
    }
    const { old, now, poisoned } = releases({ version: 1 }, { version: 2, migrate })
    await old.set('k', 'v')
    expect(await now.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect(poisoned).toEqual([{ key: 'k', namespace: '', error: bug }])
    expect(now.stats().loads).toBe(1)
  })

  it('may answer later, also for a stale value that stands in for a failing load', async () => {
    const clock = fakeClock()
    const store = mapStore(clock)
    const shared = { store, clock, ttl: '1m', grace: '1h' } as const
    await createCache({ ...shared, version: 1 }).set('k', 1)
    await clock.advance(60_000)
    const now = createCache({ ...shared, version: 2, migrate: async (value) => [value] })
    expect(await now.getOrSet('k', () => Promise.reject<unknown>(new Error('down')))).toEqual([1])
    expect(now.stats()).toMatchObject({ loads: 1, staleHits: 1 })
  })
})
