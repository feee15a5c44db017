import type { Change, Store } from '../../store.js'
import { term } from './leases-cases.js'
import { type CaseContext, claim, entry, otherOf, type StoreCase } from './store-case.js'

const describe = (change: Change): string =>
  `${change.kind} ${change.kind === 'key' ? change.key : change.kind === 'tag' ? change.tag : change.prefix}`

/** What the first store hears while the other one does this. */
async function heard(context: CaseContext, act: (other: Store) => unknown): Promise<string> {
  const { store, clock, pause = () => clock.advance(10) } = context
  const other = otherOf(context)
  const changes: string[] = []
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
  claim(
    changes.some(isEnd),
    `the last change was not told within 200 pauses; told was: ${changes.join(', ') || 'nothing'}`,
  )
  return changes.filter((change) => !isEnd(change)).join(', ')
}

/** What a store that tells of changes must do. */
export const logCases: readonly StoreCase[] = [
  {
    name: 'the log tells what others change, in order, and none is left out',
    group: 'log',
    asks: 'every set, delete, clear and invalidation of another connection is told, in the order the store saw them: number them, and say lost() where one is missing',
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
    name: 'the log tells of what a batch changes, and of what expires by order',
    group: 'log',
    asks: 'each key of setMany and deleteMany is told, and so is expire of a key that had an entry',
    async run(context) {
      const { clock } = context
      const wanted: string[] = []
      const told = await heard(context, async (other) => {
        if (other.batch !== undefined) {
          await other.batch.setMany([['a', entry(clock, 1)]])
          await other.batch.setMany([['b', entry(clock, 2)]])
          await other.batch.deleteMany(['a'])
          wanted.push('key a', 'key b', 'key a')
        }
        if (other.leases !== undefined) {
          await other.set('c', entry(clock, 1, { grace: 500 }))
          await other.leases.expire('c')
          wanted.push('key c', 'key c')
        }
      })
      const isTold = told.split(', ').toSorted().join() === wanted.toSorted().join()
      claim(isTold, `told was: ${told}; not: ${wanted.join(', ')}`)
    },
  },
  {
    name: 'the log does not tell of a process’s own changes, nor of fills',
    group: 'log',
    asks: 'what this connection changed itself is not told, and neither is what another one commits under a lease after a load',
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
      claim(told === '', `told was: ${told}; there was nothing to tell`)
    },
  },
]
