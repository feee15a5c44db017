import type { Round } from '../question.js'
import { number, times } from '../report.js'
import { ratio, summary } from '../rounds.js'
import { type Summary, summaryOf } from '../statistics.js'
import { bare, isPipelined, ours, type RedisContestantName } from './contestants.js'

/** A name and what it measured among several figures of a contestant: `redis-cache` and `rate`. */
export const cells = (
  rounds: readonly Round[],
  name: string,
  reference: string,
  figure: { readonly rate: string; readonly own?: string; readonly server?: string },
): string[] => {
  if (rounds[0]![name]![figure.rate] === undefined)
    return ['', ...(figure.own === undefined ? [] : ['', '', ''])]
  const own = [times(ratio(rounds, name, reference, figure.rate))]
  if (figure.own === undefined || figure.server === undefined) return own
  return [
    ...own,
    Math.round(summary(rounds, name, figure.rate).max).toLocaleString('en'),
    `${number(summary(rounds, name, figure.own).median)} µs`,
    `${number(summary(rounds, name, figure.server).median)} µs`,
  ]
}

/** One of ours as a multiple of the best peer of the same round; with `pipelined`, also of those set to pipeline. */
export function overBestPeer(
  rounds: readonly Round[],
  name: string,
  figure: string,
  pipelined: boolean,
): Summary {
  return summaryOf(
    rounds.map((round) => {
      const peers = Object.entries(round)
        .filter(([peer]) => isPeer(peer as RedisContestantName, pipelined))
        .map(([, figures]) => figures[figure] ?? 0)
      return round[name]![figure]! / Math.max(...peers)
    }),
  )
}

export const isPeer = (name: RedisContestantName, pipelined: boolean): boolean =>
  !ours.includes(name) && !bare.includes(name) && (pipelined || !isPipelined(name))
