import { createEntry, type Entry } from '@flow-cache/core'
import { type FakeClock, fakeClock, gate, settle, sharedServer } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { tieredStore } from '@flow-cache/multilevel'
import { describe, expect, it } from 'vitest'

const entry = (clock: FakeClock, value: unknown): Entry =>
  createEntry({ value, createdAt: clock.now(), ttl: 60_000 })

/** Two processes at one server, and a place where answers of one call of the first wait. */
function setUp(held: string) {
  const clock = fakeClock()
  const { wait, open, arrived } = gate()
  let holding = false
  const server = sharedServer(clock, (call) => (holding && call === `${held} answers` ? wait() : undefined))
  const other = server.connect()
  const near = memoryStore({ clock })
  const store = tieredStore({ tiers: [near, server.connect()], clock })
  return {
    clock,
    other,
    near,
    store,
    arrived,
    /** From now on the answers wait. */
    hold: () => (holding = true),
    release() {
      holding = false
      open()
    },
  }
}

/** What another process may do meanwhile. */
const changes = ['set', 'delete', 'clear'] as const

describe('an answer that is under way when news of its key arrives is not kept near', () => {
  for (const change of changes) {
    it.each(['get', 'getMany', 'acquire', 'commit', 'set'])(`of %s, after ${change}`, async (call) => {
      const { clock, other, near, store, arrived, hold, release } = setUp(call)
      if (call !== 'commit') await other.set('k', entry(clock, 'old'))
      else await store.leases!.acquire('k', 'token', 10_000)
      hold()
      const calls: Record<string, () => unknown> = {
        get: () => store.get('k'),
        getMany: () => store.batch!.getMany(['k']),
        acquire: () => store.leases!.acquire('k', 'token', 10_000),
        commit: () => store.leases!.commit('k', 'token', entry(clock, 'old')),
        set: () => store.set('k', entry(clock, 'old')),
      }
      const answer = calls[call]!()
      await arrived
      const done = change === 'set' ? other.set('k', entry(clock, 'new')) : other[change]('k')
      await settle()
      release()
      await Promise.all([answer, done])
      expect((await near.get('k'))?.value).not.toBe('old')
      const now = await store.get('k')
      expect(now?.value).toBe(change === 'set' ? 'new' : undefined)
    })
  }

  it('and without news it is', async () => {
    const { clock, other, near, store } = setUp('none')
    await other.set('k', entry(clock, 'value'))
    expect((await store.get('k'))?.value).toBe('value')
    expect((await near.get('k'))?.value).toBe('value')
  })
})
