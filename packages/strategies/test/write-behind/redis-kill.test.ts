import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { startRedis } from '@flow-cache/servers'
import { beforeAll, expect, it } from 'vitest'
import { folder } from './folder.js'
import { expectNothingLost, expectOrder, readHistory } from './written-history.js'
import { build, startWriting, type WritingProcess } from './writing-process.js'

/** `KILL_ROUNDS=100` for the whole of it; some two minutes. */
const rounds = Math.ceil(Number(process.env['KILL_ROUNDS'] ?? 25))

beforeAll(build)

it(`two processes that share a journal in Redis lose nothing while ${rounds} times one of the three is killed`, async () => {
  await using server = await startRedis({ persistent: true })
  const directory = folder()
  const journal = `redisJournal({ url: '${server.url}' })`
  // What a dead one had claimed is done by the other soon.
  const start = (writers = 16) =>
    startWriting({ directory, journal, writers, options: '{ timeout: 1_000, lease: 1_500 }' })
  const processes: WritingProcess[] = [await start(), await start()]
  for (let round = 0; round < rounds; round++) {
    await pass(50 + Math.random() * 300)
    const victim = round % 3
    if (victim === 2) {
      await server.kill()
      await pass(Math.random() * 100)
      await server.restart()
    } else {
      processes[victim]!.kill('SIGKILL')
      expect(await processes[victim]!.ended).toBe('SIGKILL')
      processes[victim] = await start()
    }
  }
  for (const running of processes) running.kill('SIGKILL')
  await Promise.all(processes.map(({ ended }) => ended))
  const drain = await start(0)
  const { stats } = (await drain.told()) as { stats: Record<string, number> }
  expect(await drain.ended).toBe(0)
  expect(stats).toMatchObject({ pending: 0, deadLettered: 0, dropped: 0 })
  expect(stats['accepted']).toBe(stats['applied']! + stats['coalesced']!)
  const history = readHistory(join(directory, 'accepted'), join(directory, 'applied'))
  expect(history.accepted.length).toBeGreaterThan(rounds)
  expect(stats['accepted']).toBeGreaterThanOrEqual(history.accepted.length)
  expectOrder(history)
  expectNothingLost(history)
}, 600_000)
