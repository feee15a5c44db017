import { words } from '../text-of.js'
import { claim, otherOf, type StoreCase } from './store-case.js'

/** What a store with versions of tags must do. */
export const tagsCases: readonly StoreCase[] = [
  {
    name: 'a tag keeps its version until it is invalidated, and has another afterwards',
    group: 'tags',
    asks: 'versions gives each tag the same version until invalidate gives it a new one; other tags keep theirs',
    async run({ store }) {
      const [x, y] = await store.tags!.versions(['x', 'y'])
      claim(typeof x === 'string' && x !== '', `an unknown tag got the version ${words(x)}`)
      const turned = await store.tags!.versions(['y', 'x'])
      claim(
        turned.join() === [y, x].join(),
        `versions(['x', 'y']) gave ${words([x, y])}, and then versions(['y', 'x']) ${words(turned)}`,
      )
      await store.tags!.invalidate(['x'])
      const [again, other] = await store.tags!.versions(['x', 'y'])
      claim(again !== x, `an invalidated tag kept its version, ${words(x)}`)
      claim(other === y, 'the version of another tag changed')
    },
  },
  {
    name: 'no version of a tag ever comes back, and no two names share one',
    group: 'tags',
    asks: 'a version is random or counted and never used again: an entry that was made under it would count once more',
    async run({ store }) {
      const names = ['__proto__', 'a', 'A', 'a:b', '', '*', 'é']
      const before = await store.tags!.versions(names)
      const had = new Set([before[1]])
      for (let i = 0; i < 5; i++) {
        await store.tags!.invalidate(['a'])
        const [version] = await store.tags!.versions(['a'])
        claim(!had.has(version), `the version ${words(version)} came back after ${i + 1} invalidations`)
        had.add(version)
      }
      const after = await store.tags!.versions(names)
      names.forEach((name, i) =>
        claim(name === 'a' || after[i] === before[i], `the tag ${words(name)} changed with the tag 'a'`),
      )
    },
  },
  {
    name: 'a tag that may have been invalidated since a position has no version to give',
    group: 'tags',
    asks: 'with since, versions answers undefined for a tag that was, or may have been, invalidated after that position was taken',
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
  {
    name: 'all connections agree on the versions of tags, and on positions',
    group: 'tags',
    asks: 'versions are where the entries are, not in the process: what one invalidates has a new version for all',
    async run(context) {
      const [{ tags }, other] = [context.store, otherOf(context)]
      const [version] = await tags!.versions(['x'])
      const [elsewhere] = await other.tags!.versions(['x'])
      claim(elsewhere === version, `one connection gave ${words(version)}, another one ${words(elsewhere)}`)
      const before = await tags!.position()
      await other.tags!.invalidate(['x'])
      const [late] = await tags!.versions(['x'], before)
      claim(
        late === undefined,
        'a tag that another connection invalidated since the position was given a version',
      )
      const [again] = await tags!.versions(['x'])
      claim(again !== version, 'a tag that another connection invalidated kept its version here')
    },
  },
]
