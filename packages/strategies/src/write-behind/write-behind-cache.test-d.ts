import type { Cache, DeadLetter, Journal } from '@flow-cache/core'
import { expectTypeOf, it } from 'vitest'
import type { WriteBehindEvents } from './events.js'
import { WriteBehindCache } from './write-behind-cache.js'

declare const cache: Cache
declare const journal: Journal

interface User {
  readonly name: string
}

const read = (): User | undefined => undefined
const write = (_key: string, _user: User): void => {}
const remove = (): void => {}

it('an origin has to read, write and delete', () => {
  const behind = new WriteBehindCache<User>({ cache, journal, origin: { read, write, delete: remove } })
  expectTypeOf(behind.get('a')).resolves.toEqualTypeOf<User | undefined>()
  expectTypeOf(behind.getMany(['a'])).resolves.toEqualTypeOf<Map<string, User>>()
  expectTypeOf(behind.deadLetters()).resolves.toEqualTypeOf<readonly DeadLetter<User>[]>()

  // @ts-expect-error an origin that cannot delete
  void new WriteBehindCache<User>({ cache, journal, origin: { read, write } })
  // @ts-expect-error an origin that cannot write
  void new WriteBehindCache<User>({ cache, journal, origin: { read, delete: remove } })
  // @ts-expect-error a value of another type
  void behind.set('a', { title: 'none' })
  // @ts-expect-error no such policy
  void new WriteBehindCache<User>({ cache, origin: { read, write, delete: remove }, whenFull: 'drop-oldest' })
})

it('events are typed by their name', () => {
  const behind = new WriteBehindCache<User>({ cache, origin: { read, write, delete: remove } })
  behind.on('deadLetter', (event) => {
    expectTypeOf(event).toEqualTypeOf<WriteBehindEvents['deadLetter']>()
    expectTypeOf(event.attempts).toBeNumber()
  })
  // @ts-expect-error no such event
  behind.on('deadletter', () => {})
})
