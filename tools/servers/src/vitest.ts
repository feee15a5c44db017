import { inject } from 'vitest'

/** What the set-up of the run hands to the tests. */
export type Provided = { url: string } | { error: string }

declare module 'vitest' {
  interface ProvidedContext {
    redis: Provided
  }
}

/**
 * The server that all tests of a run share: use keys with a prefix of your own, and never flush it.
 * Throws, and so fails the test, where there is none.
 */
export function redisUrl(): string {
  const redis = inject('redis')
  if ('error' in redis) throw new Error(redis.error)
  return redis.url
}
