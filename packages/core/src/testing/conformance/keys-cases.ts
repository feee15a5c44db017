import type { Store } from '../../store.js'
import { claim, entry, type StoreCase } from './store-case.js'

async function listed(store: Store, prefix: string, glob?: string): Promise<readonly string[]> {
  const keys = new Set<string>()
  for await (const some of store.keys!.scan(prefix, glob)) for (const key of some) keys.add(key)
  return [...keys].toSorted()
}

/** What a store that lists its keys must do. */
export const keysCases: readonly StoreCase[] = [
  {
    name: 'scan lists the keys of a literal prefix whose rest matches the pattern',
    group: 'keys',
    asks: 'the prefix is taken literally, the pattern is tried on what follows it: matchGlob(glob, key.slice(prefix.length))',
    async run({ store, clock }) {
      for (const key of ['p*:ab', 'p*:b', 'P*:b', 'px:ab', 'p*', 'z']) await store.set(key, entry(clock, 1))
      for (const [prefix, glob, wanted] of [
        ['p*:', undefined, 'p*:ab,p*:b'],
        ['p*:', 'a?', 'p*:ab'],
        ['', 'p\\**', 'p*,p*:ab,p*:b'],
      ] as const) {
        const found = (await listed(store, prefix, glob)).join()
        const asked = glob === undefined ? `'${prefix}'` : `'${prefix}', '${glob}'`
        claim(found === wanted, `scan(${asked}) listed ${found}, not ${wanted}`)
      }
    },
  },
  {
    name: 'scan leaves out no key that is there throughout',
    group: 'keys',
    asks:
      'a key that is there from the first batch to the last is listed, also when others go meanwhile: go on from the last key, ' +
      'not from a count',
    async run({ store, clock }) {
      const keys = Array.from({ length: 700 }, (_, i) => `k${String(i).padStart(3, '0')}`)
      await Promise.all(keys.map((key) => store.set(key, entry(clock, 1))))
      const found = new Set<string>()
      let isFirst = true
      for await (const some of store.keys!.scan('k')) {
        for (const key of some) found.add(key)
        if (isFirst) await Promise.all(keys.slice(0, 300).map((key) => store.delete(key)))
        isFirst = false
      }
      const missed = keys.slice(300).filter((key) => !found.has(key))
      claim(
        missed.length === 0,
        `of 400 keys that were there throughout, ${missed.length} were not listed: ${missed[0]}`,
      )
    },
  },
]
