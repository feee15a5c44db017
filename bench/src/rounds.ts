import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ContestantName } from './contestants.js'
import type { Figures, Round } from './question.js'
import type { QuestionName } from './questions.js'
import { shuffled, type Summary, summaryOf } from './statistics.js'

const child = fileURLToPath(new URL('./child.js', import.meta.url))
const run = promisify(execFile)

export interface Job {
  readonly question: QuestionName
  readonly names: readonly ContestantName[]
  readonly parameters: unknown
}

/** Runs a job in a process of its own. */
async function inProcess(job: Job): Promise<Round> {
  const { stdout } = await run(process.execPath, ['--expose-gc', child, JSON.stringify(job)], {
    maxBuffer: 2 ** 24,
  })
  return JSON.parse(stdout) as Round
}

/**
 * Measures every contestant in a process of its own, several times over, each time in another order.
 *
 * `atOnce`: how many processes run side by side. Default 1; more is for what does not measure time.
 */
export async function alone(job: Job, rounds: number, atOnce = 1): Promise<Round[]> {
  const results: Round[] = []
  for (let i = 0; i < rounds; i++) {
    const round: Record<string, Figures> = {}
    const waiting = shuffled(job.names)
    const work = async (): Promise<void> => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        Object.assign(round, await inProcess({ ...job, names: [name] }))
        process.stderr.write('.')
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    results.push(round)
  }
  return results
}

/** Measures all contestants in one process, several times over. */
export async function together(job: Job, rounds: number): Promise<Round[]> {
  const results: Round[] = []
  for (let i = 0; i < rounds; i++) {
    results.push(await inProcess({ ...job, names: shuffled(job.names) }))
    process.stderr.write('.')
  }
  return results
}

export function summary(rounds: readonly Round[], name: string, figure: string): Summary {
  return summaryOf(rounds.map((round) => round[name]![figure]!))
}

/** A figure as a multiple of what the reference had in the same round, so that what slows a round slows both. */
export function ratio(rounds: readonly Round[], name: string, reference: string, figure: string): Summary {
  return summaryOf(rounds.map((round) => round[name]![figure]! / round[reference]![figure]!))
}
