import type { RedisContestant } from './contestant.js'

/** A contestant, and whether its client sends together what is called in one turn. */
interface Entrant {
  readonly pipelined: boolean
  readonly contestant: () => Promise<RedisContestant>
}

const plain = (contestant: Entrant['contestant']): Entrant => ({ pipelined: false, contestant })

const pipelined = (contestant: Entrant['contestant']): Entrant => ({
  pipelined: true,
  contestant: async () => {
    const rival = await contestant()
    return { ...rival, label: `${rival.label}, auto-pipelining` }
  },
})

const ioredis = async (): Promise<RedisContestant> => (await import('./ioredis.js')).ioredis
const dedupe = async (): Promise<RedisContestant> =>
  (await import('./async-cache-dedupe.js')).asyncCacheDedupe
const layered14 = async (): Promise<RedisContestant> => (await import('./layered-loader.js')).version14
const layered16 = async (): Promise<RedisContestant> => (await import('./layered-loader.js')).version16
const bento = async (): Promise<RedisContestant> => (await import('./bentocache.js')).far
const bentoBoth = async (): Promise<RedisContestant> => (await import('./bentocache.js')).nearAndFar

/** Everyone who can be measured over Redis. Loaded on demand, like the others. */
const entrants = {
  ioredis: plain(ioredis),
  'ioredis-pipelined': pipelined(ioredis),
  'redis-cache': plain(async () => (await import('./flow-cache.js')).redisCache),
  'multi-level-cache': plain(async () => (await import('./flow-cache.js')).multiLevelCache),
  'async-cache-dedupe': plain(dedupe),
  'async-cache-dedupe-pipelined': pipelined(dedupe),
  'layered-loader-14': plain(layered14),
  'layered-loader-14-pipelined': pipelined(layered14),
  'layered-loader-16': plain(layered16),
  'layered-loader-16-pipelined': pipelined(layered16),
  bentocache: plain(bento),
  'bentocache-pipelined': pipelined(bento),
  'bentocache-both': plain(bentoBoth),
  'bentocache-both-pipelined': pipelined(bentoBoth),
  cacheable: plain(async () => (await import('./keyv.js')).cacheable),
  'cache-manager': plain(async () => (await import('./keyv.js')).cacheManager),
} satisfies Record<string, Entrant>

export type RedisContestantName = keyof typeof entrants

export const redisContestantNames = Object.keys(entrants) as readonly RedisContestantName[]

export function redisContestant(name: RedisContestantName): Promise<RedisContestant> {
  return entrants[name].contestant()
}

export function isPipelined(name: RedisContestantName): boolean {
  return entrants[name].pipelined
}

/** Ours. */
export const ours: readonly RedisContestantName[] = ['redis-cache', 'multi-level-cache']

/** What is not a cache but what one is built on. */
export const bare: readonly RedisContestantName[] = ['ioredis', 'ioredis-pipelined']
