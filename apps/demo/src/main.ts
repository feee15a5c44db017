#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { type Arguments, help, readArguments } from './arguments.js'
import { startCompanion } from './companion.js'
import { type Answer, Desk } from './desk.js'
import { folderOf } from './folder.js'
import type { Look } from './layout.js'
import { openCache } from './open-cache.js'
import { Problem } from './problem.js'
import { progressOn } from './progress.js'
import { showAgain, showAnswer, showComparison, showCorpus, showSteps, showTogether } from './report.js'
import { sampleQuestions } from './sample-questions.js'

const interrupt = new AbortController()
// Once: a second Ctrl-C ends the process the hard way.
process.once('SIGINT', () => interrupt.abort())
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // whoever reads has read enough
  throw error
})

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  if (interrupt.signal.aborted) return 130
  if (error instanceof Problem) {
    process.stderr.write(`${error.message}\n`)
    return 2
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
  else if (args.redis === undefined) await askTwice(args)
  else await askTogether(args, args.redis)
  return 0
}

/** Asks everything in two processes at the same moment, which share a Redis. */
async function askTogether(args: Arguments, redis: string): Promise<void> {
  const dir = folderOf(args.dir)
  const look = lookOf(args)
  await using cache = await openCache(redis)
  const { maxDocuments, top: passages, sentences } = args
  const options = { dir, maxDocuments, passages, sentences }
  const desk = new Desk({ cache, ...options })
  const progress = progressOn(process.stderr, args.plain)
  const watched = { signal: interrupt.signal, onProgress: progress.at }
  const questions =
    args.question === undefined
      ? sampleQuestions(await desk.survey(watched).finally(progress.end))
      : [args.question]
  const companion = await startCompanion()
  try {
    for (const [i, question] of questions.entries()) {
      const theirs = companion.ask({ redis, question, ...options })
      theirs.catch(() => {})
      const mine = await desk.ask(question, watched).finally(progress.end)
      if (i === 0) say(showCorpus(mine, dir, look), '')
      say(showAnswer(mine, look), '', showTogether(mine, await theirs, look), '')
    }
  } finally {
    companion.end()
  }
  say('The sentences are quoted from the documents (extractive brief, no language model).')
}

/** Asks everything once with an empty cache and once more with what the cache then holds. */
async function askTwice(args: Arguments): Promise<void> {
  const dir = folderOf(args.dir)
  const look = lookOf(args)
  await using cache = await openCache(undefined)
  const { maxDocuments, top, sentences } = args
  const desk = new Desk({ cache, dir, maxDocuments, passages: top, sentences })
  const progress = progressOn(process.stderr, args.plain)
  const watched = { signal: interrupt.signal, onProgress: progress.at }
  const ask = (question: string): Promise<Answer> => desk.ask(question, watched).finally(progress.end)
  const questions =
    args.question === undefined
      ? sampleQuestions(await desk.survey(watched).finally(progress.end))
      : [args.question]

  const cold: Answer[] = []
  for (const [i, question] of questions.entries()) {
    const answer = await ask(question)
    if (i === 0) say(showCorpus(answer, dir, look), '')
    say(showAnswer(answer, look), '', showSteps(answer, look), '')
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
  say('The sentences are quoted from the documents (extractive brief, no language model).')
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
