import { describe, expect, it } from 'vitest'
import { contestant, contestantNames } from '../src/contestants.js'

/** A benchmark of something that does not cache is worse than none. */
describe.each(contestantNames)('%s', (name) => {
  it('loads a missing key once, and hits with the very value from then on', async () => {
    const { open } = await contestant(name)
    let loads = 0
    const values = new Map<string, unknown>()
    const load = (key: string): Promise<unknown> => {
      loads++
      values.set(key, { id: loads, name: key })
      return Promise.resolve(values.get(key))
    }
    const { read, close } = await open({ capacity: 100, load })
    const keys = Array.from({ length: 50 }, (_, i) => `user:${i}`)
    for (const key of keys) expect(await read(key)).toEqual({ id: loads, name: key })
    for (const key of keys) expect(await read(key)).toBe(values.get(key))
    expect(loads).toBe(keys.length)
    await close?.()
  })

  it('holds no more than its capacity', async () => {
    const { open } = await contestant(name)
    let loads = 0
    const { read, close } = await open({ capacity: 10, load: async () => ++loads })
    for (let i = 0; i < 100; i++) await read(`user:${i % 50}`)
    expect(loads).toBeGreaterThan(80)
    await close?.()
  })
})

/** These only wrap a loader. */
const readOnly = new Set<string>(['async-cache-dedupe', 'cachified'])

it.each(contestantNames.filter((name) => !readOnly.has(name)))('%s gives back what was set', async (name) => {
  const { open } = await contestant(name)
  const { get, set, close } = await open({ capacity: 100, load: () => Promise.reject(new Error('asked')) })
  const value = { id: 1, name: 'Ada' }
  await set!('user:1', value)
  expect(await get!('user:1')).toBe(value)
  expect(await get!('user:2')).toBeUndefined()
  await close?.()
})
