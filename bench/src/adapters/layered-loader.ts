import { Loader as Loader14 } from 'layered-loader-14'
import { Loader as Loader16 } from 'layered-loader-16'
import { type Contestant, type Setup, type Subject, ttl } from '../contestant.js'

const config = ({ capacity, load }: Setup) =>
  ({
    inMemoryCache: { cacheType: 'lru-map', maxItems: capacity, ttlInMsecs: ttl },
    dataSourceGetOneFn: load,
  }) as const

const subject = (loader: Loader14<unknown> | Loader16<unknown>): Subject => ({
  read: (key) => loader.get(key),
  get: (key) => loader.getInMemoryOnly(key),
  set: (key, value) => loader.forceSetValue(key, value),
})

/** The newest of its line that claims to run on Node 20. */
export const version14: Contestant = {
  label: 'layered-loader 14',
  packages: ['layered-loader-14'],
  open: (setup) => subject(new Loader14<unknown>(config(setup))),
}

/** Says it needs Node 22; its memory cache runs on 20 all the same. */
export const version16: Contestant = {
  label: 'layered-loader 16',
  packages: ['layered-loader-16'],
  open: (setup) => subject(new Loader16<unknown>(config(setup))),
}
