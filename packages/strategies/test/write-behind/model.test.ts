import { Cache, type Journal } from '@flow-cache/core'
import { type FakeClock, fakeClock, mapStore, seededRandom, settle } from '@flow-cache/core/testing'
import { memoryJournal, WriteBehindCache } from '@flow-cache/strategies'
import { fileJournal } from '@flow-cache/strategies/file-journal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { folder } from './folder.js'
import { recordingOrigin } from './recording-origin.js'

const keys = ['a', 'b', 'c', 'd', 'e']
const key = fc.constantFrom(...keys)
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key, by: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key, by: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('get' as const), key, by: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const), by: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fail' as const), share: fc.constantFrom(0, 0.2, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('poison' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const) }) },
)

/** Without what only one process may rely on, as several processes see it. */
const shared = (journal: Journal): Journal => {
  const { local, ...rest } = journal
  expect(local).toBeDefined()
  return { ...rest, close: () => undefined }
}

const journals: Record<string, (clock: FakeClock) => readonly [Journal, Journal]> = {
  'in memory'(clock) {
    const journal = memoryJournal({ clock })
    return [journal, journal]
  },
  'that two share'(clock) {
    const journal = shared(memoryJournal({ clock }))
    return [journal, journal]
  },
  'in a directory'(clock) {
    const journal = fileJournal(folder(), { clock, fsync: 'never', segmentBytes: 1_000 })
    return [journal, journal]
  },
}

const isDiskBusy = (): boolean => process.getActiveResourcesInfo().some((name) => /^(FS|Close)Req/.test(name))

describe.each(Object.keys(journals))('with a journal %s', (name) => {
  it('readers see the last write, the origin ends with it, and everything adds up, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(), async (steps, seed) => {
        const clock = fakeClock()
        const random = seededRandom(seed)
        const origin = recordingOrigin({ many: seed % 2 === 0 })
        const cache = new Cache({ store: mapStore(clock), clock, ttl: '10s' })
        const isShared = name.includes('share')
        const pair = journals[name]!(clock)
        const options = {
          cache,
          origin,
          clock,
          random,
          maxBatch: 3,
          retry: { attempts: 4, minDelay: 100, maxDelay: 2_000 },
        }
        const first = new WriteBehindCache({ ...options, journal: pair[0] })
        const second = isShared ? new WriteBehindCache({ ...options, journal: pair[1] }) : first
        const processes = [first, second] as const
        const model = new Map<string, unknown>()
        let share = 0
        let poison = ''
        origin.before = async ({ key }) => {
          await settle(Math.floor(random() * 10))
          if (key === poison || random() < share) throw new Error('no')
        }
        // Only a file answers later than promises alone do. Time stands until the disk has answered, however busy it is.
        const done = async <T>(work: Promise<T>): Promise<T> => {
          const state = { isDone: false }
          const ended = work.finally(() => (state.isDone = true))
          ended.catch(() => {})
          while (!state.isDone) {
            await new Promise(setImmediate)
            if (!state.isDone && !isDiskBusy()) await clock.advance(1)
          }
          return ended
        }
        const sums = async (): Promise<void> => {
          const { accepted, applied, coalesced, pending, deadLettered, dropped } = await first.stats()
          expect(accepted).toBe(applied + coalesced + pending + deadLettered + dropped)
        }
        let n = 0
        for (const step of steps) {
          if (step.kind === 'set') {
            await done(processes[step.by as 0 | 1].set(step.key, ++n))
            model.set(step.key, n)
          } else if (step.kind === 'delete') {
            await done(processes[step.by as 0 | 1].delete(step.key))
            model.delete(step.key)
          } else if (step.kind === 'get') {
            expect(await done(processes[step.by as 0 | 1].get(step.key))).toBe(model.get(step.key))
          } else if (step.kind === 'evict') await cache.clear()
          else if (step.kind === 'flush') await done(processes[step.by as 0 | 1].flush())
          else if (step.kind === 'pass') await clock.advance(step.ms)
          else if (step.kind === 'fail') share = step.share
          else if (step.kind === 'poison') poison = step.key
          else await first.retryDeadLetters()
          await sums()
        }
        expect(await done(first.getMany(keys))).toEqual(
          new Map(keys.filter((key) => model.has(key)).map((key) => [key, model.get(key)])),
        )
        share = 0
        poison = ''
        await done(first.retryDeadLetters())
        await done(second.close({ deadline: '10m' }))
        if (isShared) await done(first.close({ deadline: '10m' }))
        expect(Object.fromEntries(origin.values)).toEqual(Object.fromEntries(model))
        const applied = new Map<string, number>()
        for (const { key, sequence } of origin.seen) {
          expect(sequence).toBeGreaterThanOrEqual(applied.get(key) ?? 0)
          applied.set(key, sequence)
        }
        if (!isShared) expect(origin.mostForOneKey).toBeLessThanOrEqual(1)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: name.includes('directory') ? 40 : 150 },
    )
  }, 120_000)
})
