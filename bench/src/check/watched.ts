import type { QuestionName } from '../questions.js'

/** A measurement whose ratios are kept from release to release. */
export interface Watched {
  readonly question: QuestionName
  readonly parameters?: Readonly<Record<string, unknown>>
  /** Whether it asks a Redis server, whose address becomes a parameter. */
  readonly server?: true
  /** Who stands for 1. */
  readonly reference: string
  /** What ours are compared in, each a cost, and how the table calls it. */
  readonly costs: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What is watched. Processor time where a server takes part: other work on the machine bends it less than rates. */
export const watched: readonly Watched[] = [
  {
    question: 'ways',
    server: true,
    reference: 'lru-cache',
    costs: {
      plain: { ns: 'a hit' },
      options: { ns: 'a hit with `{ ttl }`' },
      tags: { ns: 'a hit with `{ ttl, tags }`' },
      namespace: { ns: 'a hit in a namespace' },
      get: { ns: 'a hit by `get`' },
      metrics: { ns: 'a hit with `CacheMetrics`' },
      'multi-level': { ns: 'a hit in the memory of `MultiLevelCache`' },
      'read-through': { ns: 'a hit through `ReadThrough`' },
      wrap: { ns: 'a hit of a wrapped function' },
      node: { ns: 'a hit of a cached node' },
    },
  },
  {
    question: 'hit',
    parameters: { keys: 100_000 },
    reference: 'lru-cache',
    costs: { 'flow-cache': { ns: 'a hit among 100,000 keys' } },
  },
  {
    question: 'miss',
    reference: 'lru-cache',
    costs: { 'flow-cache': { one: 'a miss', crowd: '100 callers of one missing key' } },
  },
  {
    question: 'set-get',
    reference: 'lru-cache',
    costs: { 'flow-cache': { set: '`set`', get: '`get`' } },
  },
  {
    question: 'many',
    reference: 'lru-cache',
    costs: {
      'flow-cache': {
        getMany: '`getMany` of 100',
        getOrSetMany: '`getOrSetMany` of 100, all there',
        fillMany: '`getOrSetMany` of 100, none there',
      },
    },
  },
  {
    question: 'policy',
    parameters: { entries: 1_000 },
    reference: 'lru',
    costs: { adaptive: { mixed: "'adaptive', hits and misses", hit: "'adaptive', hits" } },
  },
  {
    question: 'heap',
    parameters: { entries: 100_000, values: 'integers' },
    reference: 'lru-cache',
    costs: { 'flow-cache': { bytes: 'heap of an entry' } },
  },
  {
    question: 'redis-hit',
    server: true,
    reference: 'ioredis',
    costs: {
      'redis-cache': { own: 'a hit in Redis, processor time' },
      'multi-level-cache': { own: 'a hit in Redis behind memory, processor time' },
    },
  },
  {
    question: 'redis-fill',
    server: true,
    reference: 'ioredis',
    costs: { 'redis-cache': { own: 'a fill of Redis, processor time' } },
  },
]

/** The names of all that is watched. */
export function namesOf(all: readonly Watched[]): readonly string[] {
  return all.flatMap(({ costs }) => Object.values(costs).flatMap((figures) => Object.values(figures)))
}
