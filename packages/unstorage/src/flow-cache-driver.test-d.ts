import type { Cache } from '@flow-cache/core'
import { expectTypeOf } from 'vitest'
import { createStorage, type Driver } from 'unstorage'
import { flowCacheDriver } from './flow-cache-driver.js'

declare const cache: Cache

const driver = flowCacheDriver({ cache, ttl: '1h' })
expectTypeOf(driver).toExtend<Driver>()
expectTypeOf(createStorage<string>({ driver }).getItem('a')).resolves.toEqualTypeOf<string | null>()

// @ts-expect-error There is no driver without a cache.
flowCacheDriver({ ttl: '1h' })
