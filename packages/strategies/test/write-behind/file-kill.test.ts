import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { fileJournal } from '@flow-cache/strategies/file-journal'
import { beforeAll, expect, it } from 'vitest'
import { folder } from './folder.js'
import { expectNothingLost, expectOrder, readHistory } from './written-history.js'
import { build, startWriting } from './writing-process.js'

/** `KILL_ROUNDS=100` for the whole of it: some two minutes. */
const all = Number(process.env['KILL_ROUNDS'] ?? 25)

beforeAll(build)

for (const [fsync, rounds] of [
  ['always', all],
  ['never', Math.ceil(all / 5)],
] as const) {
  it(`${rounds} processes killed while 16 writers write lose nothing that was accepted (fsync: ${fsync})`, async () => {
    const directory = folder()
    const journal = join(directory, 'journal')
    const open = `fileJournal(directory + '/journal', { fsync: '${fsync}', segmentBytes: 30_000 })`
    const files = [join(directory, 'accepted'), join(directory, 'applied')] as const
    for (let round = 0; round < rounds; round++) {
      const child = await startWriting({ directory, journal: open })
      await pass(Math.random() * 200)
      child.kill('SIGKILL')
      expect(await child.ended).toBe('SIGKILL')
      // What it left adds up, and has all that was accepted and not applied.
      const left = fileJournal(journal)
      const counts = await left.counts()
      expect(counts.accepted).toBe(counts.applied + counts.coalesced + counts.pending + counts.deadLettered)
      const history = readHistory(...files)
      expectOrder(history)
      const last = new Map(history.accepted.map(({ key, sequence }) => [key, sequence]))
      const done = new Map(history.applied.map(({ key, sequence }) => [key, sequence]))
      for (const [key, sequence] of last) {
        if ((done.get(key) ?? 0) < sequence) {
          expect(left.local!.read(key)?.sequence).toBeGreaterThanOrEqual(sequence)
        }
      }
      await left.close()
    }
    const drain = await startWriting({ directory, journal: open, writers: 0 })
    const { stats } = (await drain.told()) as { stats: Record<string, number> }
    expect(await drain.ended).toBe(0)
    expect(stats).toMatchObject({ pending: 0, deadLettered: 0, dropped: 0 })
    expect(stats['accepted']).toBe(stats['applied']! + stats['coalesced']!)
    const history = readHistory(...files)
    expectOrder(history)
    expectNothingLost(history)
    // Nobody was told of the last of each writer in each round, and it may have been accepted.
    const untold = stats['accepted']! - history.accepted.length
    expect(untold).toBeGreaterThanOrEqual(0)
    expect(untold).toBeLessThanOrEqual(16 * rounds)
  }, 600_000)
}

it('a process told to end in the middle of a flush drains, and says that nothing is left', async () => {
  const directory = folder()
  const open = `fileJournal(directory + '/journal')`
  const child = await startWriting({ directory, journal: open, before: '() => sleep(Math.random() * 20)' })
  await pass(300)
  child.kill('SIGTERM')
  expect(await child.told()).toMatchObject({ report: { pending: 0, dead: 0 } })
  expect(await child.ended).toBe(0)
  const history = readHistory(join(directory, 'accepted'), join(directory, 'applied'))
  expectOrder(history)
  expectNothingLost(history)
}, 60_000)

it('a process told to end while the origin hangs says what is left, and the next one does it', async () => {
  const directory = folder()
  const open = `fileJournal(directory + '/journal')`
  const child = await startWriting({
    directory,
    journal: open,
    before: '() => new Promise(() => {})',
    deadline: 200,
  })
  await pass(300)
  child.kill('SIGTERM')
  const { report } = (await child.told()) as { report: { flushed: number; pending: number } }
  expect(report.flushed).toBe(0)
  expect(report.pending).toBeGreaterThan(0)
  expect(await child.ended).toBe(3)
  const drain = await startWriting({ directory, journal: open, writers: 0 })
  expect(await drain.told()).toMatchObject({ stats: { pending: 0, applied: report.pending } })
  expectNothingLost(readHistory(join(directory, 'accepted'), join(directory, 'applied')))
}, 60_000)
