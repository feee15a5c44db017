import type KeyvRedis from '@keyv/redis'
import type { Store } from '@flow-cache/core'
import type { KeyvStoreAdapter } from 'keyv'
import type { KeyvStorageAdapter } from 'keyv-6'
import { expectTypeOf } from 'vitest'
import { keyvStore } from './keyv-store.js'

declare const redis: KeyvRedis<unknown>
declare const five: KeyvStoreAdapter
declare const six: KeyvStorageAdapter

keyvStore(redis)
keyvStore(five)
keyvStore(six)
expectTypeOf(keyvStore(new Map<string, string>())).toEqualTypeOf<Store>()

// @ts-expect-error Entries have to be read as well.
keyvStore({ set: () => undefined })
