import type { Cache } from '@flow-cache/core'
import {
  CacheAside,
  type Deletes,
  ReadThrough,
  type Reads,
  type ReadsMany,
  RefreshAhead,
  WriteAround,
  type Writes,
  WriteThroughCache,
} from '@flow-cache/strategies'
import { expectTypeOf, it } from 'vitest'

declare const cache: Cache
declare const reads: Reads<string>
declare const readsMany: ReadsMany<string>
declare const readsAndWrites: Reads<string> & Writes<string>
declare const whole: Reads<string> & Writes<string> & Deletes

it('a strategy takes an origin that has what it needs, and its values have the type of the origin', () => {
  expectTypeOf(new CacheAside({ cache, origin: reads }).get('a')).resolves.toEqualTypeOf<string | undefined>()
  expectTypeOf(new ReadThrough({ cache, origin: readsMany }).getMany(['a'])).resolves.toEqualTypeOf<
    Map<string, string>
  >()
  expectTypeOf(new WriteThroughCache({ cache, origin: whole }).set)
    .parameter(1)
    .toEqualTypeOf<string>()
})

it('a strategy does not take an origin that lacks a group it needs', () => {
  // @ts-expect-error read is missing
  void new CacheAside({ cache, origin: readsMany })
  // @ts-expect-error read is missing
  void new RefreshAhead({ cache, origin: readsMany })
  // @ts-expect-error readMany is missing
  void new ReadThrough({ cache, origin: reads })
  // @ts-expect-error write and delete are missing
  void new WriteThroughCache({ cache, origin: reads })
  // @ts-expect-error delete is missing
  void new WriteThroughCache({ cache, origin: readsAndWrites })
  // @ts-expect-error delete is missing
  void new WriteAround({ cache, origin: readsAndWrites })
})

it('a value of another type cannot be written', () => {
  // @ts-expect-error the origin keeps strings
  void new WriteAround({ cache, origin: whole }).set('a', 1)
})
