import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Journal } from '@flow-cache/core'
import { redisJournal } from '@flow-cache/redis'
import { memoryJournal } from '@flow-cache/strategies'
import { fileJournal } from '@flow-cache/strategies/file-journal'
import type { Asked, Figures, Question, Round } from './question.js'
import { startServer } from './redis/server.js'
import { number, type Section, targets, times } from './report.js'
import { beside, ratio, summary } from './rounds.js'

const names = [
  'append, a sync for each group',
  'memoryJournal',
  "fileJournal, 'always'",
  "fileJournal, '100ms'",
  "fileJournal, 'never'",
  'redisJournal, appendfsync always',
  'redisJournal, appendfsync everysec',
  'redisJournal, nothing on disk',
] as const
type Name = (typeof names)[number]

const reference: Name = names[0]
const writers = 64
const keys = 10_000

interface Parameters {
  readonly urls: Readonly<Record<string, string>>
  readonly folder: string
}

const value = (n: number): unknown => ({
  id: n,
  name: `user ${n}`,
  text: 'x'.repeat(150),
  tags: ['a', 'b'],
  active: true,
})

/** How fast a journal accepts. */
export const journal: Question<Name> = {
  text: `How many writes a second does a journal accept? ${writers} writers, each with one \`put\` under way, ${keys} keys, values of 220 bytes of JSON. More is better. Beside appending the same bytes to one file, with one write and one \`fdatasync\` for all who wait. Each in a process of its own; Redis beside it, on a loopback port.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const asked = names.filter((name) => name === reference || takesPart(name))
    const folder = await mkdtemp(join(tmpdir(), 'flow-cache-bench-'))
    await using always = await startServer({
      folder: await mkdtemp(join(folder, 'a')),
      appendfsync: 'always',
    })
    await using everysec = await startServer({
      folder: await mkdtemp(join(folder, 'e')),
      appendfsync: 'everysec',
    })
    await using none = await startServer()
    const urls = { [names[5]]: always.url, [names[6]]: everysec.url, [names[7]]: none.url }
    const results = await beside({ question: 'journal', names: asked, parameters: { urls, folder } }, rounds)
    await rm(folder, { recursive: true, force: true })
    const file = names[2]
    return [
      {
        title: 'Accepted writes a second',
        head: ['', 'as a multiple of appending', 'a second'],
        rows: asked.map((name) => [
          name,
          times(ratio(results, name, reference, 'rate')),
          number(summary(results, name, 'rate').max),
        ]),
        note: `Ratios: the median of ${rounds} rounds, in brackets the least and the greatest. A second: the most of them.`,
      },
      targets(
        asked.includes(file)
          ? [
              {
                what: `${file}, beside appending with a sync for each group`,
                limit: 0.5,
                measured: ratio(results, file, reference, 'rate').median,
                unit: '×',
                atLeast: true,
              },
              {
                what: `${file}, a second`,
                limit: 20_000,
                measured: summary(results, file, 'rate').max,
                unit: '',
                atLeast: true,
              },
            ]
          : [],
      ),
    ]
  },

  async measure(names, parameters: Parameters): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) {
      const folder = await mkdtemp(join(parameters.folder, 'j'))
      figures[name] = {
        rate: name === reference ? await appended(folder) : await accepted(name, folder, parameters),
      }
      await rm(folder, { recursive: true, force: true })
    }
    return figures
  },
}

function journalOf(name: Name, folder: string, { urls }: Parameters): Journal {
  const url = urls[name]
  if (url !== undefined) return redisJournal({ url, prefix: folder })
  switch (name) {
    case 'memoryJournal':
      return memoryJournal()
    case "fileJournal, '100ms'":
      return fileJournal(folder, { fsync: '100ms' })
    case "fileJournal, 'never'":
      return fileJournal(folder, { fsync: 'never' })
    default:
      return fileJournal(folder, { fsync: 'always' })
  }
}

async function accepted(name: Name, folder: string, parameters: Parameters): Promise<number> {
  const journal = journalOf(name, folder, parameters)
  const found = await rate(async (n) => {
    if ((await journal.put(`user:${n % keys}`, { kind: 'put', value: value(n) }, 1e6)) === undefined) {
      throw new Error('no room')
    }
  })
  await journal.close()
  return found
}

/** What the disk and Node can do: groups of buffers that are there already. */
async function appended(folder: string): Promise<number> {
  const file = await open(join(folder, 'log'), 'w')
  // As much as one record of a journal.
  const record = Buffer.alloc(280, 7)
  let waiting: (() => void)[] = []
  let isRunning = false
  let offset = 0
  const run = async (): Promise<void> => {
    isRunning = true
    await undefined
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      const bytes = Buffer.concat(group.map(() => record))
      await file.write(bytes, 0, bytes.length, offset)
      offset += bytes.length
      await file.datasync()
      for (const resolve of group) resolve()
    }
    isRunning = false
  }
  const found = await rate(
    () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve)
        if (!isRunning) void run()
      }),
  )
  await file.close()
  return found
}

/** How many a second with 64 under way, over a second and a half after a third of one. */
async function rate(write: (n: number) => Promise<void>): Promise<number> {
  let n = 0
  let from = 0
  let done = 0
  const start = performance.now()
  let measured = 0
  const writer = async (): Promise<void> => {
    for (;;) {
      await write(n++)
      done++
      const passed = performance.now() - start
      if (from === 0 && passed > 300) [from, measured] = [done, performance.now()]
      if (passed > 1_800) return
      // A journal in memory answers at once, and would never let the clock go on.
      if (done % 1_000 === 0) await new Promise(setImmediate)
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return ((done - from) / (performance.now() - measured)) * 1_000
}
