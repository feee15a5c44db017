import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@flow-cache/servers'
import { Client } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { programOf, startService } from './program.js'

it('a process that is killed loses no write: the next one answers with it, and brings it to PostgreSQL', async () => {
  await using postgres = await startPostgres()
  const journal = await mkdtemp(join(tmpdir(), 'flow-cache-positions-'))
  onTestFinished(() => rm(journal, { recursive: true }))
  const program = await programOf('src/write-behind-postgres.ts')
  const env = { DATABASE_URL: postgres.url, JOURNAL: journal }

  const first = await startService(program, env)
  const players = Array.from({ length: 20 }, (_, n) => `player-${n}`)
  /** The last level of each that was answered for. */
  const safe = new Map<string, number>()
  const put = async (url: string, player: string, level: number): Promise<void> => {
    const { ok } = await fetch(`${url}/${player}`, { method: 'PUT', body: JSON.stringify({ level }) })
    if (ok) safe.set(player, level)
  }
  const play = async (player: string): Promise<void> => {
    for (let level = 1; ; level++) await put(first.url, player, level)
  }
  const playing = Promise.allSettled(players.map(play))
  await expect
    .poll(() => Math.min(...players.map((player) => safe.get(player) ?? 0)), { timeout: 60_000 })
    .toBeGreaterThan(10)
  expect(await first.end('SIGKILL')).toBe('SIGKILL')
  await playing

  const next = await startService(program, env)
  const ask = async <T>(path: string) => (await fetch(`${next.url}/${path}`)).json() as Promise<T>
  const seen = new Map<string, { level: number }>()
  for (const player of players) {
    const position = await ask<{ level: number }>(player)
    // The last one may have been kept without a word.
    expect(position.level - safe.get(player)!, player).toBeOneOf([0, 1])
    seen.set(player, position)
  }
  const stats = await ask<Record<'accepted' | 'applied' | 'coalesced', number>>('')
  expect(stats.accepted).toBeGreaterThan(20 * 10)
  expect(stats.coalesced).toBeGreaterThan(stats.applied)

  expect(await next.end('SIGTERM')).toBe(0)
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  const { rows } = await client.query<{ key: string; value: { level: number } }>(
    'SELECT key, value FROM positions',
  )
  await client.end()
  expect(new Map(rows.map(({ key, value }) => [key, value]))).toEqual(seen)
}, 180_000)
