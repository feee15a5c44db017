import { Redis } from 'ioredis'
import { Loader as Loader14, RedisCache as Cache14 } from 'layered-loader-14'
import { Loader as Loader16, RedisCache as Cache16 } from 'layered-loader-16'
import { ttl } from '../contestant.js'
import type { RedisContestant, RedisSetup } from './contestant.js'

const config = { json: true, ttlInMsecs: ttl }

function contestant(
  label: string,
  pkg: string,
  make: (client: Redis, setup: RedisSetup) => { get: (key: string) => Promise<unknown> },
): RedisContestant {
  return {
    label,
    packages: [pkg, 'ioredis'],
    tagged: false,
    open(setup) {
      const client = new Redis(setup.url, { enableAutoPipelining: setup.pipelined })
      const loader = make(client, setup)
      return { read: (key) => loader.get(key), close: () => client.disconnect() }
    },
  }
}

/** Without its memory: with it, it is slower here. */
export const version14 = contestant('layered-loader 14', 'layered-loader-14', (client, { load }) => {
  // It declares ioredis 5, and calls nothing that 6 has changed.
  const asyncCache = new Cache14<unknown>(client as never, config)
  return new Loader14<unknown>({ inMemoryCache: false, asyncCache, dataSourceGetOneFn: load })
})

export const version16 = contestant('layered-loader 16', 'layered-loader-16', (client, { load }) => {
  const asyncCache = new Cache16<unknown>(client, config)
  return new Loader16<unknown>({ inMemoryCache: false, asyncCache, dataSourceGetOneFn: load })
})
