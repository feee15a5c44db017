import type { Round } from '../question.js'
import { startServer } from '../redis/server.js'
import { alone, beside, ratio } from '../rounds.js'
import type { Watched } from './watched.js'

/** Everything that was measured of one of the watched so far, for the median of all of it. */
export interface Measured {
  readonly watched: Watched
  readonly rounds: Round[]
}

/** Measures so many rounds more, each contestant in a process of its own. */
export async function measure({ watched, rounds }: Measured, more: number): Promise<void> {
  const { question, reference, costs } = watched
  const job = { question, names: [reference, ...Object.keys(costs)] }
  if (watched.server === undefined) {
    rounds.push(...(await alone({ ...job, parameters: watched.parameters }, more)))
    return
  }
  await using server = await startServer()
  const parameters = { ...watched.parameters, url: server.url }
  rounds.push(...(await beside({ ...job, parameters }, more)))
}

/** The ratios by name: the median of all rounds. */
export function ratiosOf({ watched: { reference, costs }, rounds }: Measured): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [own, figures] of Object.entries(costs)) {
    for (const [figure, name] of Object.entries(figures)) {
      found[name] = Number(ratio(rounds, own, reference, figure).median.toFixed(3))
    }
  }
  return found
}
