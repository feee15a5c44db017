import type { Cache } from '@flow-cache/core'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { expectTypeOf } from 'vitest'
import { flowKeyv } from './flow-keyv.js'

declare const cache: Cache

const adapter = flowKeyv(cache, { ttl: '1h', closes: true })
expectTypeOf(new Keyv({ store: adapter }).get<number>('a')).resolves.toEqualTypeOf<number | undefined>()
expectTypeOf(new Keyv6({ store: adapter }).get<number>('a')).resolves.toEqualTypeOf<number | undefined>()
expectTypeOf(adapter.get<number>('a')).resolves.toEqualTypeOf<number | undefined>()

// @ts-expect-error A store is no cache.
flowKeyv(new Map())
