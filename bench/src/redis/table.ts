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

/** Whom one of ours is held against, by what a table calls them: libraries as they come, and as fast as they can be set. */
export const rivals: Readonly<Record<string, (name: RedisContestantName) => boolean>> = {
  'the best peer over ioredis': (name) => isPeer(name) && isOverIoredis(name) && !isPipelined(name),
  'the best peer over ioredis, those set to auto-pipelining too': (name) =>
    isPeer(name) && isOverIoredis(name),
  'the best peer of all': (name) => isPeer(name),
}

/** One of ours as a multiple of the best of these peers in the same round. */
export function overBest(
  rounds: readonly Round[],
  name: string,
  figure: string,
  isRival: (name: RedisContestantName) => boolean,
): Summary {
  return summaryOf(
    rounds.map((round) => {
      const peers = Object.entries(round)
        .filter(([peer]) => isRival(peer as RedisContestantName))
        .map(([, figures]) => figures[figure] ?? 0)
      return round[name]![figure]! / Math.max(...peers)
    }),
  )
}

const isPeer = (name: RedisContestantName): boolean => !ours.includes(name) && !bare.includes(name)

/** Whether its client is the one that ours has. */
const isOverIoredis = (name: RedisContestantName): boolean => name !== 'cacheable' && name !== 'cache-manager'
