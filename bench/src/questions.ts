import type { Question } from './question.js'

/** What can be asked. */
export type QuestionName =
  | 'hit'
  | 'heap'
  | 'miss'
  | 'set-get'
  | 'policy'
  | 'size'
  | 'l1-hit'
  | 'redis-hit'
  | 'redis-fill'
  | 'redis-trips'
  | 'redis-bytes'
  | 'redis-flight'
  | 'redis-wire'
  | 'codec'
  | 'journal'
  | 'write-behind'
  | 'node'
  | 'warm'
  | 'growth'
  | 'ways'
  | 'many'
  | 'start'
  | 'metrics'
  | 'curve'
  | 'pages'

/** Every question, loaded on demand, so that a process that measures holds little else. */
export const questions: Readonly<Record<QuestionName, () => Promise<Question<never>>>> = {
  hit: async () => (await import('./hit.js')).hit,
  heap: async () => (await import('./heap.js')).heap,
  miss: async () => (await import('./miss.js')).miss,
  'set-get': async () => (await import('./set-get.js')).setGet,
  policy: async () => (await import('./policy.js')).policy,
  size: async () => (await import('./size.js')).size,
  'l1-hit': async () => (await import('./l1-hit.js')).l1Hit,
  'redis-hit': async () => (await import('./redis-hit.js')).redisHit,
  'redis-fill': async () => (await import('./redis-fill.js')).redisFill,
  'redis-trips': async () => (await import('./redis-trips.js')).redisTrips,
  warm: async () => (await import('./warm.js')).warm,
  growth: async () => (await import('./growth.js')).growth,
  ways: async () => (await import('./ways.js')).hitWays,
  many: async () => (await import('./many.js')).many,
  start: async () => (await import('./start.js')).start,
  metrics: async () => (await import('./metrics.js')).metrics,
  curve: async () => (await import('./curve.js')).curve,
  pages: async () => (await import('./pages.js')).pages,
  node: async () => (await import('./node.js')).node,
  'redis-bytes': async () => (await import('./redis-bytes.js')).redisBytes,
  'redis-flight': async () => (await import('./redis-flight.js')).redisFlight,
  'redis-wire': async () => (await import('./redis-wire.js')).redisWire,
  codec: async () => (await import('./codec.js')).codec,
  journal: async () => (await import('./journal.js')).journal,
  'write-behind': async () => (await import('./write-behind.js')).writeBehind,
}
