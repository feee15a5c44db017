import { execFile } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figures, Round } from './question.js'
import type { QuestionName } from './questions.js'
import { shuffled, type Summary, summaryOf } from './statistics.js'

const child = fileURLToPath(new URL('./child.js', import.meta.url))
const run = promisify(execFile)

export interface Job {
  readonly question: QuestionName
  readonly names: readonly string[]
  readonly parameters: unknown
}

/** Runs a job in a process of its own. */
async function inProcess(job: Job): Promise<Round> {
  const { stdout } = await run(process.execPath, ['--expose-gc', child, JSON.stringify(job)])
  process.stderr.write('.')
  return JSON.parse(stdout) as Round
}

/** How many times a job is done again because something else was at work, and how much of a core that may take. */
let retries = 3
const tolerated = 0.3

/** From now on every job is done once, for a machine that never is quiet. */
export function measureOnce(): void {
  retries = 0
}

/** Runs a job in a process of its own, and again if the machine had something else to do: the quietest one counts. */
async function inQuiet(job: Job): Promise<Round> {
  let best: Round = {}
  let least = Infinity
  for (let i = 0; i <= retries && least > tolerated; i++) {
    const before = busy()
    const start = performance.now()
    const round = await inProcess(job)
    const took = performance.now() - start
    const others = (busy() - before - took) / took
    if (others < least) [least, best] = [others, round]
  }
  return best
}

/** The processor time that everything on this machine has taken, in milliseconds. */
function busy(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0)
}

/** Measures every contestant in a process of its own, several times over, each time in another order. */
export function alone(job: Job, rounds: number): Promise<Round[]> {
  return inTurn(job, rounds, inQuiet)
}

/** The same where a server works too, which cannot be told from what disturbs. */
export function beside(job: Job, rounds: number): Promise<Round[]> {
  return inTurn(job, rounds, inProcess)
}

async function inTurn(job: Job, rounds: number, measured: (job: Job) => Promise<Round>): Promise<Round[]> {
  const results: Round[] = []
  for (let i = 0; i < rounds; i++) {
    const round: Record<string, Figures> = {}
    for (const name of shuffled(job.names)) Object.assign(round, await measured({ ...job, names: [name] }))
    results.push(round)
  }
  return results
}

/** Measures all contestants in one process, several times over. */
export async function together(job: Job, rounds: number): Promise<Round[]> {
  const results: Round[] = []
  for (let i = 0; i < rounds; i++) results.push(await inProcess({ ...job, names: shuffled(job.names) }))
  return results
}

/** Measures every contestant once in a process of its own, as many side by side as there are processors. */
export async function sideBySide(job: Job): Promise<Round> {
  const round: Record<string, Figures> = {}
  const waiting = [...job.names]
  const work = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      Object.assign(round, await inProcess({ ...job, names: [name] }))
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return round
}

export function summary(rounds: readonly Round[], name: string, figure: string): Summary {
  return summaryOf(rounds.map((round) => round[name]![figure]!))
}

/** A figure as a multiple of what the reference had in the same round, so that what slows a round slows both. */
export function ratio(rounds: readonly Round[], name: string, reference: string, figure: string): Summary {
  return summaryOf(rounds.map((round) => round[name]![figure]! / round[reference]![figure]!))
}
