import { createEntry, type Entry } from '../entry.js'
import type { Change, Store } from '../store.js'
import type { FakeClock } from './fake-clock.js'

/** What a case is given: a store of its own, empty, on a clock that stands still. */
export interface CaseContext {
  readonly store: Store
  readonly clock: FakeClock
  /** A second connection to the same server, as another process would have; needed for the group `log`. */
  readonly other?: Store | undefined
  /** Lets a little real time pass, for a store whose news travels. Default: the clock moves by 10 ms. */
  readonly pause?: (() => Promise<unknown>) | undefined
}

/** One sentence of the store contract, and what shows that it holds. */
export interface StoreCase {
  readonly name: string
  /** The group it needs. Without one, every store must pass it. */
  readonly group?: 'local' | 'batch' | 'keys' | 'tags' | 'leases' | 'log'
  /** Resolves if the sentence holds; otherwise a {@link ConformanceError} that says in words what was seen. */
  readonly run: (context: CaseContext) => Promise<void>
}

/** A store does something else than it promises. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new ConformanceError(otherwise)
}

const words = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  return Object.is(value, -0)
    ? '-0'
    : typeof value === 'string'
      ? `'${value.slice(0, 40)}'`
      : (JSON.stringify(value) ?? typeof value)
}

const equal = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) ||
  (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))

interface Shape {
  readonly ttl?: number
  readonly grace?: number
  readonly tags?: Entry['tags']
}

const entry = (clock: FakeClock, value: unknown, { ttl = 1_000, grace = 0, tags }: Shape = {}): Entry =>
  createEntry({ value, createdAt: clock.now(), ttl, grace, loadMs: 7, tags, version: 2 })

async function seen(store: Store, key: string, value: unknown, when = ''): Promise<void> {
  const found = await store.get(key)
  claim(found !== undefined, `get(${words(key)}) found nothing${when}, where set had put ${words(value)}`)
  claim(
    equal(found.value, value),
    `get(${words(key)}) gave ${words(found.value)}${when}, not ${words(value)}`,
  )
}

async function gone(store: Store, key: string, when: string): Promise<void> {
  const found = await store.get(key)
  claim(found === undefined, `get(${words(key)}) still gave ${words(found?.value)} ${when}`)
}

const oddKeys = [
  '__proto__',
  'constructor',
  'toString',
  'a:b',
  'a',
  ':',
  '*',
  '?',
  '[a]',
  '\\',
  '{a}',
  'a\0',
  'a\n',
  '😀',
  'é',
  ' ',
  'k'.repeat(10_000),
]

const required: readonly StoreCase[] = [
  {
    name: 'a key that was never set is not there',
    run: ({ store }) => gone(store, 'a', 'before any set'),
  },
  ...[0, -0, '', false, null, Number.NaN, undefined, [], {}, 'text', { a: [1, { b: 2 }] }].map(
    (value): StoreCase => ({
      name: `${value === undefined ? 'undefined' : Number.isNaN(value) ? 'NaN' : words(value)} is kept as it is`,
      async run({ store, clock }) {
        await store.set('a', entry(clock, value))
        await seen(store, 'a', value)
      },
    }),
  ),
  {
    name: 'keys of any characters do not interfere',
    async run({ store, clock }) {
      for (const key of oddKeys) await store.set(key, entry(clock, `of ${key}`))
      for (const key of oddKeys) await seen(store, key, `of ${key}`)
      for (const key of oddKeys) {
        claim(await store.delete(key), `delete(${words(key)}) did not find what set had put there`)
        await gone(store, key, 'after its delete')
      }
    },
  },
  {
    name: 'an entry keeps its instants, its load time and its version',
    async run({ store, clock }) {
      const put = entry(clock, 1, { ttl: 100, grace: 50 })
      await store.set('a', put)
      const found = await store.get('a')
      claim(found !== undefined, 'the entry was not found')
      for (const field of ['createdAt', 'staleAt', 'expiresAt', 'loadMs', 'version'] as const) {
        claim(found[field] === put[field], `${field} came back as ${found[field]}, not ${put[field]}`)
      }
    },
  },
  {
    name: 'an entry keeps the names and versions of its tags',
    async run({ store, clock }) {
      const tags = [
        { name: 'x', version: '1' },
        { name: '', version: '2' },
      ]
      await store.set('a', entry(clock, 1, { tags }))
      const found = (await store.get('a'))?.tags?.map(({ name, version }) => ({ name, version }))
      claim(equal(found, tags), `the tags came back as ${words(found)}`)
    },
  },
  {
    name: 'a set replaces the whole entry',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10, tags: [{ name: 'x', version: '1' }] }))
      await store.set('a', entry(clock, 2, { ttl: 20 }))
      await seen(store, 'a', 2)
      claim((await store.get('a'))?.tags === undefined, 'the tags of the entry before are still there')
      await clock.advance(15)
      await seen(store, 'a', 2, ' after the end of the entry before')
    },
  },
  {
    name: 'a stale entry is still answered',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10, grace: 10 }))
      await clock.advance(15)
      await seen(store, 'a', 1, ' in its grace')
    },
  },
  {
    name: 'an entry is gone at the very instant it expires, and not before',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10 }))
      await clock.advance(9)
      await seen(store, 'a', 1, ' a millisecond before its end')
      await clock.advance(1)
      await gone(store, 'a', 'at the instant it expires')
      claim(!(await store.delete('a')), 'delete found an entry that has expired')
    },
  },
  {
    name: 'a ttl of one millisecond, of 30 days and for ever are what they say',
    async run({ store, clock }) {
      const month = 30 * 24 * 3_600_000
      await store.set('short', entry(clock, 1, { ttl: 1 }))
      await store.set('long', entry(clock, 2, { ttl: month }))
      await store.set('ever', entry(clock, 3, { ttl: Infinity }))
      await seen(store, 'short', 1)
      await clock.advance(1)
      await gone(store, 'short', 'after its millisecond')
      await clock.advance(month - 2)
      await seen(store, 'long', 2, ' on its last day')
      await clock.advance(1)
      await gone(store, 'long', 'after 30 days')
      await clock.advance(1_000 * month)
      await seen(store, 'ever', 3, ' after 80 years')
    },
  },
  {
    name: 'an entry that has expired already is not kept, and ends the one before',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1))
      await store.set('a', entry(clock, 2, { ttl: 0 }))
      await gone(store, 'a', 'after an expired entry was set')
    },
  },
  {
    name: 'delete tells whether there was an entry',
    async run({ store, clock }) {
      claim(!(await store.delete('a')), 'delete found an entry where none was set')
      await store.set('a', entry(clock, undefined))
      claim(await store.delete('a'), 'delete did not find an entry of undefined')
      claim(!(await store.delete('a')), 'delete found the same entry twice')
    },
  },
  {
    name: 'clear takes its prefix literally, and nothing else',
    async run({ store, clock }) {
      const prefix = '@a[1]*?\\:'
      const others = ['@a1:x', '@a[1]*?\\', '@a[1]xx\\:x', 'x', '@a[1]*?\\;']
      for (const key of [`${prefix}x`, prefix, ...others]) await store.set(key, entry(clock, key))
      await store.clear(prefix)
      await gone(store, `${prefix}x`, 'after clear of its prefix')
      await gone(store, prefix, 'after clear of its prefix')
      for (const key of others) await seen(store, key, key, ' after clear of another prefix')
    },
  },
  {
    name: 'clear without a prefix takes everything',
    async run({ store, clock }) {
      for (const key of oddKeys) await store.set(key, entry(clock, 1))
      await store.clear()
      for (const key of oddKeys) await gone(store, key, 'after clear')
    },
  },
  {
    name: 'calls for one key take effect in the order they were made',
    async run({ store, clock }) {
      const calls = [
        store.set('a', entry(clock, 1)),
        store.delete('a'),
        store.set('a', entry(clock, 2)),
        store.set('a', entry(clock, 3)),
      ]
      await Promise.all(calls)
      await seen(store, 'a', 3)
    },
  },
  {
    name: 'it can be closed twice',
    async run({ store }) {
      await store.close()
      await store.close()
    },
  },
]

const local: readonly StoreCase[] = [
  {
    name: 'the nearest tier has what was set, at once',
    group: 'local',
    async run({ store, clock }) {
      await store.set('a', entry(clock, undefined, { ttl: 10 }))
      for (const how of ['get', 'peek'] as const) {
        claim(store.local![how]('a') !== undefined, `local.${how} did not find an entry of undefined`)
      }
      await clock.advance(10)
      for (const how of ['get', 'peek'] as const) {
        const late = store.local![how]('a')
        claim(
          late === undefined || late.expiresAt <= clock.now(),
          `local.${how} gave an expired entry a longer life`,
        )
      }
      await store.set('a', entry(clock, 1))
      await store.delete('a')
      claim(store.local!.peek('a') === undefined, 'local.peek gave an entry after its delete')
    },
  },
]

const batch: readonly StoreCase[] = [
  {
    name: 'getMany answers in the order of its keys, also for one that is missing or asked for twice',
    group: 'batch',
    async run({ store, clock }) {
      await store.batch!.setMany([
        ['b', entry(clock, 2)],
        ['a', entry(clock, undefined)],
        ['__proto__', entry(clock, 4)],
      ])
      const found = await store.batch!.getMany(['__proto__', 'nobody', 'b', 'a', 'b'])
      const values = found.map((one) => (one === undefined ? 'missing' : one.value))
      claim(values.length === 5, `five keys were asked for, ${values.length} answered`)
      const wanted = [4, 'missing', 2, undefined, 2]
      wanted.forEach((value, i) =>
        claim(Object.is(values[i], value), `answer ${i} was ${words(values[i])}, not ${words(value)}`),
      )
    },
  },
  {
    name: 'getMany leaves out what has expired',
    group: 'batch',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10 }))
      await clock.advance(10)
      claim((await store.batch!.getMany(['a']))[0] === undefined, 'getMany gave an entry that has expired')
    },
  },
  {
    name: 'deleteMany tells how many were there',
    group: 'batch',
    async run({ store, clock }) {
      await store.batch!.setMany([
        ['a', entry(clock, 1)],
        ['b', entry(clock, 2)],
      ])
      const count = await store.batch!.deleteMany(['a', 'nobody', 'b'])
      claim(count === 2, `deleteMany counted ${count} of 2`)
      await gone(store, 'a', 'after deleteMany')
    },
  },
]

const keys: readonly StoreCase[] = [
  {
    name: 'scan lists the keys of a literal prefix whose rest matches the pattern',
    group: 'keys',
    async run({ store, clock }) {
      for (const key of ['p*:ab', 'p*:b', 'px:ab', 'p*', 'z']) await store.set(key, entry(clock, 1))
      const list = async (prefix: string, glob?: string): Promise<string> => {
        const listed: string[] = []
        for await (const some of store.keys!.scan(prefix, glob)) listed.push(...some)
        return [...new Set(listed)].toSorted().join()
      }
      claim((await list('p*:')) === 'p*:ab,p*:b', `scan('p*:') listed ${await list('p*:')}`)
      claim((await list('p*:', 'a?')) === 'p*:ab', `scan('p*:', 'a?') listed ${await list('p*:', 'a?')}`)
      claim(
        (await list('', 'p\\**')) === 'p*,p*:ab,p*:b',
        `scan('', 'p\\\\**') listed ${await list('', 'p\\**')}`,
      )
    },
  },
]

const tags: readonly StoreCase[] = [
  {
    name: 'a tag keeps its version until it is invalidated, and has another afterwards',
    group: 'tags',
    async run({ store }) {
      const [x, y] = await store.tags!.versions(['x', 'y'])
      claim(typeof x === 'string' && x !== '', `an unknown tag got the version ${words(x)}`)
      claim(
        (await store.tags!.versions(['y', 'x'])).join() === [y, x].join(),
        'a version changed, or came in the wrong order',
      )
      await store.tags!.invalidate(['x'])
      const [again, other] = await store.tags!.versions(['x', 'y'])
      claim(again !== x, 'an invalidated tag kept its version')
      claim(other === y, 'the version of another tag changed')
    },
  },
  {
    name: 'a tag that may have been invalidated since a position has no version to give',
    group: 'tags',
    async run({ store }) {
      await store.tags!.versions(['x', 'y'])
      const before = await store.tags!.position()
      await store.tags!.invalidate(['x'])
      const [x, y] = await store.tags!.versions(['x', 'y'], before)
      claim(x === undefined, 'a tag that was invalidated since the position was given a version')
      claim(typeof y === 'string', 'a tag that was not invalidated since the position was given none')
      const [now] = await store.tags!.versions(['x'], await store.tags!.position())
      claim(typeof now === 'string', 'a tag that was invalidated before the position was given none')
    },
  },
]

const term = 1_000

/** Takes the lease, and fails if that is not possible. */
async function lease(store: Store, token: string, always?: boolean): Promise<Entry | undefined> {
  const got = await store.leases!.acquire('a', token, term, always)
  claim(got.status === 'leased', `the lease was not to be had: ${got.status}`)
  return got.entry
}

async function refused(store: Store, clock: FakeClock, token: string, why: string): Promise<void> {
  claim(!(await store.leases!.commit('a', token, entry(clock, 'old'))), `a commit was accepted ${why}`)
  claim((await store.get('a'))?.value !== 'old', `a value was stored ${why}`)
}

const revocations: readonly (readonly [string, (context: CaseContext) => unknown])[] = [
  ['set', ({ store, clock }) => store.set('a', entry(clock, 'new'))],
  ['delete', ({ store }) => store.delete('a')],
  ['expire', ({ store }) => store.leases!.expire('a')],
  ['clear', ({ store }) => store.clear()],
  ['the end of its term', ({ clock }) => clock.advance(term)],
  ['its release', ({ store }) => store.leases!.release('a', 'one')],
]

const leases: readonly StoreCase[] = [
  {
    name: 'a key is lent to one at a time',
    group: 'leases',
    async run({ store, clock }) {
      await lease(store, 'one')
      const second = await store.leases!.acquire('a', 'two', term)
      claim(second.status === 'taken', `a second one got ${second.status}`)
      claim(
        second.remainingMs > 0 && second.remainingMs <= term,
        `${second.remainingMs} ms were said to remain of ${term}`,
      )
      await clock.advance(term)
      await lease(store, 'two')
    },
  },
  {
    name: 'the holder commits, once, and the lease ends',
    group: 'leases',
    async run({ store, clock }) {
      await lease(store, 'one')
      claim(
        await store.leases!.commit('a', 'one', entry(clock, 1, { ttl: 10 })),
        'the holder could not commit',
      )
      await seen(store, 'a', 1)
      await refused(store, clock, 'one', 'twice under one lease')
      const next = await store.leases!.acquire('a', 'two', term)
      claim(next.status === 'fresh' && next.entry.value === 1, 'the next one did not get the fresh entry')
    },
  },
  {
    name: 'a stale entry is handed out with the lease, and stays readable in front of it',
    group: 'leases',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10, grace: 10_000 }))
      await clock.advance(10)
      claim((await lease(store, 'one'))?.value === 1, 'the stale entry did not come with the lease')
      await seen(store, 'a', 1, ' behind a lease')
    },
  },
  {
    name: 'a fresh entry does not stand in the way of one who insists',
    group: 'leases',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1))
      claim((await lease(store, 'one', true))?.value === 1, 'the fresh entry did not come with the lease')
      await seen(store, 'a', 1, ' behind a lease')
    },
  },
  ...revocations.map(([name, revoke]): StoreCase => ({
    name: `${name} revokes the lease, and a late commit is dropped`,
    group: 'leases',
    async run(context) {
      await lease(context.store, 'one')
      await revoke(context)
      await refused(context.store, context.clock, 'one', `after ${name}`)
    },
  })),
  {
    name: 'another holder cannot be overwritten or thrown out',
    group: 'leases',
    async run({ store, clock }) {
      await lease(store, 'one')
      await clock.advance(term)
      await lease(store, 'two')
      await refused(store, clock, 'one', 'under a lease that somebody else holds')
      claim(!(await store.leases!.renew('a', 'one', term)), 'an ended lease was renewed')
      await store.leases!.release('a', 'one')
      claim(
        await store.leases!.commit('a', 'two', entry(clock, 2)),
        'the holder was thrown out by a release of another token',
      )
    },
  },
  {
    name: 'a renewed lease lasts another term',
    group: 'leases',
    async run({ store, clock }) {
      await lease(store, 'one')
      await clock.advance(term - 1)
      claim(await store.leases!.renew('a', 'one', term), 'the holder could not renew')
      await clock.advance(term - 1)
      claim(
        (await store.leases!.acquire('a', 'two', term)).status === 'taken',
        'a renewed lease was lent again',
      )
    },
  },
  {
    name: 'expire makes an entry stale, and keeps it for its grace',
    group: 'leases',
    async run({ store, clock }) {
      claim(!(await store.leases!.expire('a')), 'expire found an entry where none was set')
      await store.set('a', entry(clock, 1, { ttl: 1_000, grace: 500 }))
      await clock.advance(100)
      claim(await store.leases!.expire('a'), 'expire did not find the entry')
      const found = await store.get('a')
      claim(found !== undefined && found.staleAt <= clock.now(), 'the entry is not stale, or gone')
      claim(
        found.expiresAt === found.staleAt + 500,
        `the grace became ${found.expiresAt - found.staleAt} ms instead of 500`,
      )
    },
  },
]

/** What the first store hears while the other one does this. */
async function heard(
  { store, clock, other, pause = () => clock.advance(10) }: CaseContext,
  act: (other: Store) => unknown,
): Promise<string> {
  claim(other !== undefined, 'the group `log` needs `other`, a second connection')
  const changes: string[] = []
  const describe = (change: Change): string =>
    `${change.kind} ${change.kind === 'key' ? change.key : change.kind === 'tag' ? change.tag : change.prefix}`
  const stop = store.log!.follow({
    changed: (change) => changes.push(describe(change)),
    lost: () => changes.push('lost'),
  })
  await clock.advance(0)
  // Whoever has an answer is connected, and hears what comes after it.
  await store.get('nothing')
  await act(other)
  // What comes last shows that all before it was told.
  await other.set('the end', entry(clock, 1))
  const isEnd = (change: string): boolean => change === 'key the end'
  for (let i = 0; i < 200 && !changes.some(isEnd); i++) await pause()
  stop()
  return changes.filter((change) => !isEnd(change)).join(', ')
}

const log: readonly StoreCase[] = [
  {
    name: 'the log tells what others change, in order, and none is left out',
    group: 'log',
    async run(context) {
      const { clock } = context
      const told = await heard(context, async (other) => {
        await other.set('a', entry(clock, 1))
        await other.set('b', entry(clock, 2))
        await other.delete('a')
        if (other.tags !== undefined) await other.tags.invalidate(['x'])
        await other.clear('p')
      })
      const wanted = `key a, key b, key a${context.store.tags === undefined ? '' : ', tag x'}, clear p`
      claim(told === wanted, `told was: ${told}; not: ${wanted}`)
    },
  },
  {
    name: 'the log does not tell of a process’s own changes, nor of fills',
    group: 'log',
    async run(context) {
      const { store, clock } = context
      const told = await heard(context, async (other) => {
        await store.set('a', entry(clock, 1))
        await store.delete('a')
        if (other.leases !== undefined) {
          await other.leases.acquire('a', 'one', term)
          await other.leases.commit('a', 'one', entry(clock, 2))
        }
      })
      claim(told === '', `told was: ${told}`)
    },
  },
]

/**
 * The store contract as cases without a test runner: a new store's test file runs each of them on a store of its
 * own. Those that need a group are in the list only for stores that have it; see {@link casesFor}.
 */
export const storeCases: readonly StoreCase[] = [
  ...required,
  ...local,
  ...batch,
  ...keys,
  ...tags,
  ...leases,
  ...log,
]

/**
 * The cases that apply to a store with these groups. `excused` leaves out cases by name, each with a reason; an
 * excuse for a case that does not exist is an error.
 */
export function casesFor(store: Store, excused: Readonly<Record<string, string>> = {}): readonly StoreCase[] {
  for (const name of Object.keys(excused)) {
    if (!storeCases.some((one) => one.name === name))
      throw new ConformanceError(`there is no case named '${name}'`)
  }
  return storeCases.filter(
    ({ name, group }) => !Object.hasOwn(excused, name) && (group === undefined || store[group] !== undefined),
  )
}
