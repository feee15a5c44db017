import type { Entry } from '../../entry.js'
import type { Store } from '../../store.js'
import type { FakeClock } from '../fake-clock.js'
import { words } from '../text-of.js'
import { type CaseContext, claim, entry, gone, otherOf, seen, type StoreCase } from './store-case.js'

/** How long leases are taken for. */
export const term = 1_000

/** Takes the lease, and fails if that is not possible. */
async function lease(store: Store, token: string, always?: boolean): Promise<Entry | undefined> {
  const got = await store.leases!.acquire('a', token, term, always)
  claim(got.status === 'leased', `acquire('a') answered '${got.status}', where the lease was to be had`)
  return got.entry
}

async function refused(store: Store, clock: FakeClock, token: string, why: string): Promise<void> {
  claim(
    !(await store.leases!.commit('a', token, entry(clock, 'old'))),
    `commit('a') with the token '${token}' answered true ${why}`,
  )
  claim(
    (await store.get('a'))?.value !== 'old',
    `commit('a') with the token '${token}' stored its value ${why}`,
  )
}

const fence =
  'commit stores the entry only while the token holds the lease, checked and done in one step. Whatever replaces, deletes or clears ' +
  'the key ends the lease in the same step, and so does its end: this is what keeps an old value from coming back'

const revocations: readonly (readonly [string, (context: CaseContext) => unknown])[] = [
  ['set', ({ store, clock }) => store.set('a', entry(clock, 'new'))],
  ['delete', ({ store }) => store.delete('a')],
  ['expire', ({ store }) => store.leases!.expire('a')],
  ['clear', ({ store }) => store.clear()],
  ['clear of a prefix', ({ store }) => store.clear('a')],
  ['setMany', ({ store, clock }) => store.batch?.setMany([['a', entry(clock, 'new')]]) ?? store.delete('a')],
  ['deleteMany', ({ store }) => store.batch?.deleteMany(['a']) ?? store.delete('a')],
  ['the end of its term', ({ clock }) => clock.advance(term)],
  ['its release', ({ store }) => store.leases!.release('a', 'one')],
  ['a set of another connection', (context) => otherOf(context).set('a', entry(context.clock, 'new'))],
  ['a delete of another connection', (context) => otherOf(context).delete('a')],
]

/** What a store that lends keys must do. */
export const leasesCases: readonly StoreCase[] = [
  {
    name: 'a key is lent to one at a time',
    group: 'leases',
    asks: "acquire answers 'taken', and for how long still, while another token has the lease; after its term it is to be had again",
    async run({ store, clock }) {
      await lease(store, 'one')
      const second = await store.leases!.acquire('a', 'two', term)
      claim(
        second.status === 'taken',
        `a second token got '${second.status}' while the first one had the lease`,
      )
      claim(
        second.remainingMs > 0 && second.remainingMs <= term,
        `${second.remainingMs} ms were said to remain of a term of ${term}`,
      )
      await clock.advance(term)
      await lease(store, 'two')
    },
  },
  {
    name: 'a key that two ask for at once is lent to one',
    group: 'leases',
    asks: 'a store that sends what is asked at once together still answers one after the other, also for the same key',
    async run({ store, clock }) {
      await store.set('stale', entry(clock, 1, { ttl: 0, grace: 10_000 }))
      for (const key of ['stale', 'b']) {
        const got = await Promise.all(['one', 'two'].map((token) => store.leases!.acquire(key, token, term)))
        const statuses = got.map(({ status }) => status).join(' and ')
        claim(statuses === 'leased and taken', `two who asked for '${key}' at once got '${statuses}'`)
      }
    },
  },
  {
    name: 'a lease that one connection has is taken for all',
    group: 'leases',
    asks: 'leases are where the entries are, not in the process: the loader runs once among all processes',
    async run(context) {
      await lease(context.store, 'one')
      const second = await otherOf(context).leases!.acquire('a', 'two', term)
      claim(
        second.status === 'taken',
        `another connection got '${second.status}' while the first one had the lease`,
      )
    },
  },
  {
    name: 'a lease is of one key, and no entry',
    group: 'leases',
    asks: 'a lease in front of nothing answers no read and counts for no delete, and says nothing of other keys',
    async run({ store, clock }) {
      await lease(store, 'one')
      await gone(store, 'a', 'where there is a lease and no entry')
      const other = await store.leases!.acquire('b', 'two', term)
      claim(
        other.status === 'leased',
        `the lease of 'b' was '${other.status}' because somebody has that of 'a'`,
      )
      claim(
        !(await store.leases!.commit('b', 'one', entry(clock, 1))),
        "the token that has 'a' could commit 'b', which another one has",
      )
      claim(!(await store.delete('a')), 'delete counted a lease as an entry')
    },
  },
  {
    name: 'the holder commits, once, and the lease ends',
    group: 'leases',
    asks: 'commit stores the entry for the token that holds the lease, answers true, and ends the lease',
    async run({ store, clock }) {
      await lease(store, 'one')
      claim(
        await store.leases!.commit('a', 'one', entry(clock, 1, { ttl: 10 })),
        'the holder could not commit',
      )
      await seen(store, 'a', 1)
      await refused(store, clock, 'one', 'a second time under one lease')
      const next = await store.leases!.acquire('a', 'two', term)
      claim(
        next.status === 'fresh' && next.entry.value === 1,
        `the next one got '${next.status}', not the fresh entry`,
      )
    },
  },
  {
    name: 'a commit without a lease is dropped',
    group: 'leases',
    asks: fence,
    async run({ store, clock }) {
      await refused(store, clock, 'one', 'though nobody had ever taken the lease')
      await lease(store, 'two')
      await refused(store, clock, 'one', 'though another token had the lease')
    },
  },
  {
    name: 'a stale entry is handed out with the lease, and stays readable in front of it',
    group: 'leases',
    asks: 'a lease stands beside the entry: a stale one comes with the answer of acquire, and get goes on answering with it',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1, { ttl: 10, grace: 10_000 }))
      await clock.advance(10)
      const stale = await lease(store, 'one')
      claim(
        stale?.value === 1,
        `acquire handed out ${words(stale?.value)} with the lease, not the stale entry`,
      )
      await seen(store, 'a', 1, ' behind a lease')
      const second = await store.leases!.acquire('a', 'two', term)
      claim(
        second.status === 'taken' && second.entry?.value === 1,
        'the one who found the lease taken did not get the stale entry',
      )
    },
  },
  {
    name: 'a fresh entry does not stand in the way of one who insists',
    group: 'leases',
    asks: 'with always, acquire gives the lease though the entry is fresh, and hands that out with it',
    async run({ store, clock }) {
      await store.set('a', entry(clock, 1))
      claim((await lease(store, 'one', true))?.value === 1, 'the fresh entry did not come with the lease')
      await seen(store, 'a', 1, ' behind a lease')
    },
  },
  ...revocations.map(([name, revoke]): StoreCase => ({
    name: `${name} revokes the lease, and a late commit is dropped`,
    group: 'leases',
    asks: fence,
    async run(context) {
      await lease(context.store, 'one')
      await revoke(context)
      await refused(context.store, context.clock, 'one', `after ${name}`)
    },
  })),
  {
    name: 'another holder cannot be overwritten or thrown out',
    group: 'leases',
    asks: 'commit, renew and release do something for the token that holds the lease now, and nothing for one that held it before',
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
    asks: 'renew makes the lease end termMs from now',
    async run({ store, clock }) {
      await lease(store, 'one')
      await clock.advance(term - 1)
      claim(await store.leases!.renew('a', 'one', term), 'the holder could not renew')
      await clock.advance(term - 1)
      const second = await store.leases!.acquire('a', 'two', term)
      claim(second.status === 'taken', `a renewed lease was '${second.status}' before its end`)
    },
  },
  {
    name: 'expire makes an entry stale, and keeps it for its grace',
    group: 'leases',
    asks: 'expire moves staleAt to now and keeps the grace, counted from there; it tells whether there was an entry',
    async run({ store, clock }) {
      claim(!(await store.leases!.expire('a')), 'expire found an entry where none was set')
      await store.set('a', entry(clock, 1, { ttl: 1_000, grace: 500 }))
      await clock.advance(100)
      claim(await store.leases!.expire('a'), 'expire did not find the entry')
      const found = await store.get('a')
      claim(found !== undefined, 'the entry is gone after expire, though it had a grace')
      claim(found.staleAt <= clock.now(), 'the entry is still fresh after expire')
      claim(
        found.expiresAt === found.staleAt + 500,
        `the grace became ${found.expiresAt - found.staleAt} ms, not 500`,
      )
    },
  },
]
