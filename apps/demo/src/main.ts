#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import type { Cache } from '@flow-cache/core'
import { InMemoryCache } from '@flow-cache/memory'
import open from 'open'
import type { Answer, AskOptions } from './answer.js'
import { type Arguments, help, readArguments } from './arguments.js'
import { startCompanion } from './companion.js'
import { Desk, type DeskOptions } from './desk.js'
import { folderOf } from './folder.js'
import { count, duration, type Look } from './layout.js'
import { openCache } from './open-cache.js'
import { OwnRedis } from './own-redis.js'
import { NotCached, Problem } from './problem.js'
import { progressOn, warmingOn } from './progress.js'
import {
  showAgain,
  showAnswer,
  showComparison,
  showCorpus,
  showExplained,
  showNodes,
  showSteps,
  showTogether,
} from './report.js'
import { sampleQuestions } from './sample-questions.js'
import { serveDesk } from './serve.js'
import { warmDesk } from './warm.js'
import { watchDesk } from './watch.js'

const interrupt = new AbortController()
// Once: a second Ctrl-C ends the process the hard way. The others come when a terminal is closed, or from `kill`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => interrupt.abort())
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // whoever reads has read enough
  throw error
})

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  if (interrupt.signal.aborted) return 130
  if (error instanceof Problem) {
    process.stderr.write(`${error.message}\n`)
    return error instanceof NotCached ? 3 : 2
  }
  process.stderr.write(
    `docs-desk broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return 1
})

async function run(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv)
  if (args.help) say(help.trimEnd())
  else if (args.version) say(version())
  else if (args.serve) await serve(args)
  else if (args.redis === undefined) await askTwice(args)
  else await askTogether(args, args.redis)
  return 0
}

/** Answers in a browser until Ctrl-C. */
async function serve(args: Arguments): Promise<void> {
  const dir = folderOf(args.dir)
  await using redis = args.redis === 'start' ? await OwnRedis.start() : undefined
  await using cache = await openCache(redis?.url ?? args.redis)
  await using looks = new InMemoryCache({ maxEntries: 1, ttl: '5s' })
  const desk = new Desk({ cache, looks, ...deskOptions(args, dir) })
  if (args.warm) await warm(args, cache, desk)
  using watch = watchDesk(cache, desk, redis)
  const { routes } = watch
  await using server = await serveDesk({ desk, port: args.port, routes })
  say(`docs-desk answers at ${server.url} about the Markdown in ${dir}.`, 'Ctrl-C ends it.')
  // Where somebody sits in front of it. Without a browser, the line above has to do.
  if (process.stdout.isTTY && args.open) await open(server.url).catch(() => {})
  await aborted(interrupt.signal)
}

/** Answers what may be asked, and says how far that is. */
async function warm(args: Arguments, cache: Cache, desk: Desk): Promise<void> {
  const progress = warmingOn(process.stderr, args.plain)
  const { signal } = interrupt
  const how = { tenant: args.tenant, signal, onProgress: progress.at }
  const { loaded, skipped, failed, ms } = await warmDesk(cache, desk, how).finally(progress.end)
  signal.throwIfAborted()
  const there = skipped === 0 ? '' : ` ${skipped} were there.`
  const not = failed === 0 ? '' : ` ${failed} could not be.`
  say(`${count(loaded, 'question')} answered ahead in ${duration(ms)}.${there}${not}`)
}

/** Resolves when the signal aborts. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** Asks everything in two processes at the same moment, which share a Redis. */
async function askTogether(args: Arguments, redis: string): Promise<void> {
  const dir = folderOf(args.dir)
  const look = lookOf(args)
  await using cache = await openCache(redis)
  const options = deskOptions(args, dir)
  const desk = new Desk({ cache, ...options })
  const progress = progressOn(process.stderr, args.plain)
  const how = { tenant: args.tenant, mode: modeOf(args) }
  const watched = { ...how, signal: interrupt.signal, onProgress: progress.at }
  const questions =
    args.question === undefined
      ? sampleQuestions(await desk.survey(watched).finally(progress.end))
      : [args.question]
  const companion = await startCompanion()
  try {
    for (const [i, question] of questions.entries()) {
      const theirs = companion.ask({ redis, question, how, options })
      theirs.catch(() => {})
      const mine = await desk.ask(question, watched).finally(progress.end)
      if (i === 0) say(showCorpus(mine, dir, look), '')
      say(showAnswer(mine, look), '', showTogether(mine, await theirs, look), '')
      if (args.explain) say(showExplained(mine, look), '')
    }
  } finally {
    companion.end()
  }
  say('The sentences are quoted from the documents (extractive brief, no language model).')
}

/** Asks everything once with an empty cache and once more with what the cache then holds. */
async function askTwice(args: Arguments): Promise<void> {
  if (args.onlyIfCached)
    throw new NotCached(
      'The cache lives in memory and is empty at first. --only-if-cached finds what an earlier run has made only with ' +
        '--redis: ask once with it and without --only-if-cached.',
    )
  const dir = folderOf(args.dir)
  const look = lookOf(args)
  await using cache = await openCache(undefined)
  const desk = new Desk({ cache, ...deskOptions(args, dir) })
  const progress = progressOn(process.stderr, args.plain)
  const watched = { tenant: args.tenant, signal: interrupt.signal, onProgress: progress.at }
  const ask = (question: string, mode?: AskOptions['mode']): Promise<Answer> =>
    desk.ask(question, { ...watched, mode }).finally(progress.end)
  const questions =
    args.question === undefined
      ? sampleQuestions(await desk.survey(watched).finally(progress.end))
      : [args.question]

  const cold: Answer[] = []
  for (const [i, question] of questions.entries()) {
    const answer = await ask(question, modeOf(args))
    if (i === 0) say(showCorpus(answer, dir, look), '')
    say(showAnswer(answer, look), '', showSteps(answer, look), '')
    if (args.explain) say(showExplained(answer, look), '')
    cold.push(answer)
  }
  const warm: Answer[] = []
  say('Asked again:', '')
  for (const question of questions) {
    const answer = await ask(question)
    say(showAgain(answer, look))
    warm.push(answer)
  }
  say('', showComparison(cold, warm, look), '')
  say(showNodes(desk.reports(), look), '')
  say('The sentences are quoted from the documents (extractive brief, no language model).')
}

function deskOptions(args: Arguments, dir: string): Omit<DeskOptions, 'cache'> {
  const { maxDocuments, top: passages, sentences, briefVersion } = args
  return { dir, maxDocuments, passages, sentences, briefVersion }
}

function modeOf({ refresh, onlyIfCached }: Arguments): AskOptions['mode'] {
  return refresh ? 'refresh' : onlyIfCached ? 'only-if-cached' : 'default'
}

function lookOf({ color, plain }: Arguments): Look {
  const { NO_COLOR, TERM } = process.env
  const terminal = process.stdout.isTTY && TERM !== 'dumb' && (NO_COLOR ?? '') === ''
  return {
    color: color && terminal,
    ascii: plain,
    width: Math.max(40, Math.min(process.stdout.columns || 100, 100)),
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}
