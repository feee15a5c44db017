import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { dashboard } from '@flow-cache/metrics/dashboard'
import { createAdaptorServer } from '@hono/node-server'
import type { Asked, Figures, Question, Round } from './question.js'
import { nanos, number, type Section, targets, times } from './report.js'
import { beside, summary } from './rounds.js'
import { type Summary, summaryOf } from './statistics.js'
import { nanoseconds } from './timing.js'

/** How many look, and how the table calls it. */
const ways = {
  none: { pages: 0, label: 'none' },
  one: { pages: 1, label: '1' },
  ten: { pages: 10, label: '10' },
  hundred: { pages: 100, label: '100' },
  thousand: { pages: 1_000, label: '1,000' },
  bare: { pages: 1_000, label: '1,000 sockets that are sent the same text, made once and for all' },
} as const
type Way = keyof typeof ways

const readers = fileURLToPath(new URL('./page-readers.js', import.meta.url))
const [namespaces, keys] = [10, 1_000]
const idleMs = 5_000
/** How many times the time of a hit is taken. The least counts. */
const looks = 7

/** What open pages of the dashboard cost. */
export const pages: Question<Way> = {
  text: `What do open pages of the dashboard cost the process that serves them? A cache of ${namespaces} namespaces with ${keys.toLocaleString('en')} entries each, its metrics with the curve, served by @hono/node-server; another process keeps the streams of events open and reads them. Processor time while nobody calls the cache, over ${idleMs / 1_000} s; the time of a hit, as in \`hit\`, over that of one in the same process before a page was open; and the heap after a collection.`,

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const names = (Object.keys(ways) as Way[]).filter((name) => name === 'none' || takesPart(name))
    const all = await beside({ question: 'pages', names, parameters: {} }, rounds)
    const perPage = (name: Way): Summary =>
      summaryOf(all.map((round) => (round[name]!['heap']! - round['none']!['heap']!) / ways[name].pages))
    const hits = (name: Way): Summary =>
      summaryOf(all.map((round) => round[name]!['hit']! / round[name]!['before']!))
    const rows = names.map((name) => [
      ways[name].label,
      `${number(summary(all, name, 'idle').median)} ms`,
      times(hits(name)),
      nanos(summary(all, name, 'hit')),
      // What the server itself takes is spread among the pages.
      ways[name].pages < 100 ? '' : `${number(perPage(name).median / 1_000)} kB`,
    ])
    return [
      {
        title: 'What open pages cost',
        head: ['pages', 'each second, idle', 'a hit', 'time', 'heap of a page'],
        rows,
        note: `The median of ${rounds} rounds, in brackets the least and the greatest. A message has ${number(summary(all, 'none', 'bytes').median / 1_000)} kB.`,
      },
      targets(
        names.includes('hundred')
          ? [
              {
                what: 'a hit beside 100 pages',
                limit: 1.05,
                unit: '×',
                measured: hits('hundred').median,
              },
            ]
          : [],
      ),
    ]
  },

  async measure(names): Promise<Round> {
    const figures: Record<string, Figures> = {}
    for (const name of names) figures[name] = await measured(name)
    return figures
  },
}

async function measured(way: Way): Promise<Figures> {
  const cache = new InMemoryCache({ ttl: '1h', maxEntries: 2 * namespaces * keys })
  let loads = 0
  for (let i = 0; i < namespaces; i++) {
    const some = cache.namespace(`space-${i}`)
    for (let key = 0; key < keys; key++) await some.getOrSet(`user:${key}`, () => ++loads)
  }
  const metrics = new CacheMetrics(cache, { curve: true })
  const read = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await spaces[i % namespaces]!.getOrSet(`user:${i % keys}`, () => ++loads)
  }
  const spaces = Array.from({ length: namespaces }, (_, i) => cache.namespace(`space-${i}`))
  await read(100 * keys)

  const page = dashboard(metrics)
  const message = await (await page(new Request('http://localhost/cache/report'))).text()
  const server = way === 'bare' ? sending(message) : (createAdaptorServer({ fetch: page }) as Server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const before = await timeOfHit(read)

  const { pages: count } = ways[way]
  await using _ = await openPages((server.address() as AddressInfo).port, count)
  await pause(1_000)
  const idle = await cpuOf(() => pause(idleMs))
  const hit = await timeOfHit(read)
  if (loads !== namespaces * keys) throw new Error(`${way}: ${loads} loads: not every read was a hit`)
  return { idle: (idle / idleMs) * 1_000, before, hit, heap: await heap(), bytes: message.length }
}

/** Another process can only make it longer. */
async function timeOfHit(read: (times: number) => Promise<void>): Promise<number> {
  const all: number[] = []
  for (let i = 0; i < looks; i++) all.push(await nanoseconds(read))
  return Math.min(...all)
}

/** Opens so many pages in another process. */
async function openPages(port: number, count: number): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [readers, String(port), String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const isOpen = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])
  if (isOpen === undefined) throw new Error('the readers ended before every page was open')
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}

/** Sends the same text each second, and does nothing else. */
function sending(message: string): Server {
  const bytes = new TextEncoder().encode(`data: ${message}\n\n`)
  const open: ServerResponse[] = []
  setInterval(() => open.forEach((response) => response.write(bytes)), 1_000)
  return createServer((_, response) => {
    open.push(response)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(bytes)
  })
}

/** The processor time of this process that something takes, in milliseconds. */
async function cpuOf(something: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await something()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

async function heap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await turn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
