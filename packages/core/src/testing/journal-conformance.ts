import type { Journal, JournalOperation } from '../journal.js'
import type { Awaitable } from '../store.js'
import { ConformanceError } from './conformance/store-case.js'

/** What a case is given. */
export interface JournalCaseContext {
  /** A journal of its own, empty. */
  readonly journal: Journal
  /** Lets time pass for the journal: `ms` at least. */
  readonly pass: (ms: number) => Promise<unknown>
  /**
   * The journal as another process sees it: of a shared one a second connection, of one that outlives its process
   * what it is after that process has died. Absent for one that dies with it.
   */
  readonly other?: (() => Promise<Journal>) | undefined
}

/** One sentence of the journal contract, and what shows that it holds. */
export interface JournalCase {
  readonly name: string
  /** Whether it needs {@link JournalCaseContext.other}. */
  readonly outlives?: true
  /** Resolves if the sentence holds; otherwise a {@link ConformanceError} that says in words what was seen. */
  readonly run: (context: JournalCaseContext) => Promise<void>
}

const lease = 200
const many = 1_000
const put = (value: unknown): JournalOperation => ({ kind: 'put', value })
const gone: JournalOperation = { kind: 'delete' }

const words = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (part === undefined ? 'undefined' : part)) ?? 'nothing'

function same(found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [words(found), words(wanted)]
  if (a !== b) throw new ConformanceError(`${what}: ${a}, not ${b}`)
}

function claim(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new ConformanceError(otherwise)
}

async function accept(journal: Journal, key: string, operation: JournalOperation): Promise<number> {
  const sequence = await journal.put(key, operation, many)
  claim(sequence !== undefined, `put('${key}') found no room, though nothing was near the limit`)
  return sequence
}

/** Claims until nothing is left, and says which keys came, in order. */
async function taken(journal: Journal, limit = many): Promise<string[]> {
  return (await journal.claim(limit, lease)).map(({ key }) => key)
}

const receipt = (key: string, sequence: number): { key: string; sequence: number } => ({ key, sequence })

/** The sum holds at any moment; the counts named are as wanted, all others 0. */
async function counted(journal: Journal, wanted: Partial<Record<string, number>>): Promise<void> {
  const { accepted, applied, coalesced, pending, deadLettered, dropped } = await journal.counts()
  claim(
    accepted === applied + coalesced + pending + deadLettered + dropped,
    `accepted is not the sum of what became of it: ${words(await journal.counts())}`,
  )
  const none = { accepted: 0, applied: 0, coalesced: 0, pending: 0, deadLettered: 0, dropped: 0 }
  same(
    { accepted, applied, coalesced, pending, deadLettered, dropped },
    { ...none, ...wanted },
    'the counts were',
  )
}

const oddKeys = [
  '__proto__',
  'constructor',
  'a:b',
  'a',
  '*',
  '{a}',
  'a\0',
  'a\n',
  '😀',
  '\ud800',
  '\udc00',
  'k'.repeat(5_000),
]

/** The sentences of the {@link Journal} contract. Run each with a journal of its own. */
export const journalCases: readonly JournalCase[] = [
  {
    name: 'what was put is read and claimed with its sequence',
    async run({ journal }) {
      const sequence = await accept(journal, 'a', put(1))
      const found = await journal.read(['a', 'b'])
      same(
        [...found.values()].map(order),
        [order({ kind: 'put', value: 1, key: 'a', sequence, dead: false })],
        'read gave',
      )
      same(
        (await journal.claim(many, lease)).map(order),
        [order({ kind: 'put', value: 1, key: 'a', sequence, attempts: 0 })],
        'claim gave',
      )
      await counted(journal, { accepted: 1, pending: 1 })
    },
  },
  {
    name: 'values come back equal and share nothing with what was put',
    async run({ journal }) {
      const value = { when: new Date(5), map: new Map([['a', 1n]]), list: [undefined, Number.NaN] }
      await accept(journal, 'a', put(value))
      value.list.push(1)
      const [found] = await journal.claim(1, lease)
      const back = found?.kind === 'put' ? (found.value as typeof value) : undefined
      claim(back?.when instanceof Date && back.when.getTime() === 5, 'a date did not come back')
      claim(back.map instanceof Map && back.map.get('a') === 1n, 'a map with a bigint did not come back')
      claim(back.list.length === 2 && Number.isNaN(back.list[1]), 'a list was not the one that was put')
    },
  },
  {
    name: 'a value that cannot be kept is refused and nothing is accepted',
    async run({ journal }) {
      const refused = await Promise.resolve()
        .then(() => journal.put('a', put({ call() {} }), many))
        .then(
          () => undefined,
          (error: unknown) => error as { code?: string },
        )
      same(refused?.code, 'ERR_VALUE', 'putting a function failed with the code')
      await counted(journal, {})
    },
  },
  {
    name: 'keys of any characters do not interfere',
    async run({ journal }) {
      for (const key of oddKeys) await accept(journal, key, put(`of ${key.length}`))
      const found = await journal.read(oddKeys)
      for (const key of oddKeys)
        claim(found.get(key)?.key === key, `${words(key)} was not found under its name`)
      same((await taken(journal)).length, oddKeys.length, 'the number of keys claimed was')
    },
  },
  {
    name: 'sequences grow, from one put to the next and for every key',
    async run({ journal }) {
      let last = 0
      for (const key of ['a', 'b', 'a', 'c', 'b']) {
        const sequence = await accept(journal, key, put(key))
        claim(sequence > last && Number.isSafeInteger(sequence), `${sequence} came after ${last}`)
        last = sequence
      }
    },
  },
  {
    name: 'the latest operation of a key replaces the one before, a delete too',
    async run({ journal }) {
      await accept(journal, 'a', put(1))
      const sequence = await accept(journal, 'a', gone)
      same(
        (await journal.claim(many, lease)).map(order),
        [order({ kind: 'delete', key: 'a', sequence, attempts: 0 })],
        'claim gave',
      )
      await counted(journal, { accepted: 2, coalesced: 1, pending: 1 })
    },
  },
  {
    name: 'operations are claimed in the order in which their keys began to wait, as many as asked for',
    async run({ journal }) {
      for (const key of ['a', 'b', 'c', 'a']) await accept(journal, key, put(key))
      same(await taken(journal, 2), ['a', 'b'], 'the first claim gave')
      same(await taken(journal, 2), ['c'], 'the second claim gave')
      same(await taken(journal, 2), [], 'the third claim gave')
    },
  },
  {
    name: 'an acknowledged operation is gone and counted',
    async run({ journal }) {
      const sequence = await accept(journal, 'a', put(1))
      await taken(journal)
      await journal.ack([receipt('a', sequence)])
      same((await journal.read(['a'])).size, 0, 'the number of operations left was')
      await counted(journal, { accepted: 1, applied: 1 })
      await journal.ack([receipt('a', sequence), receipt('never', 1)])
      await counted(journal, { accepted: 1, applied: 1 })
    },
  },
  {
    name: 'an operation that comes while its key is being done waits until that is over',
    async run({ journal }) {
      const first = await accept(journal, 'a', put(1))
      await taken(journal)
      const second = await accept(journal, 'a', put(2))
      same(await taken(journal), [], 'while the first was being done, claim gave')
      same((await journal.read(['a'])).get('a')?.sequence, second, 'the sequence read was')
      await journal.ack([receipt('a', first)])
      same((await journal.claim(1, lease))[0]?.sequence, second, 'after its acknowledgement claim gave')
      await journal.ack([receipt('a', second)])
      await counted(journal, { accepted: 2, applied: 1, coalesced: 1 })
    },
  },
  {
    name: 'a claim whose time is over is handed out again',
    async run({ journal, pass }) {
      const sequence = await accept(journal, 'a', put(1))
      await taken(journal)
      same(await taken(journal), [], 'before the end of the lease claim gave')
      await pass(lease + 20)
      same((await journal.claim(1, lease))[0]?.sequence, sequence, 'after the end of the lease claim gave')
      await counted(journal, { accepted: 1, pending: 1 })
    },
  },
  {
    name: 'a failed operation waits as long as it is told, and counts its attempts',
    async run({ journal, pass }) {
      const sequence = await accept(journal, 'a', put(1))
      await taken(journal)
      await journal.fail([{ key: 'a', sequence, error: 'no', retryIn: lease }])
      same(await taken(journal), [], 'at once claim gave')
      await pass(lease + 20)
      same((await journal.claim(1, lease))[0]?.attempts, 1, 'the attempts were')
      await journal.fail([{ key: 'a', sequence, retryIn: 0 }])
      same((await journal.claim(1, lease))[0]?.attempts, 1, 'after one that was not tried the attempts were')
    },
  },
  {
    name: 'what replaces an operation that is being done waits as long as that one is told, from its first attempt',
    async run({ journal, pass }) {
      const first = await accept(journal, 'a', put(1))
      await taken(journal)
      const second = await accept(journal, 'a', put(2))
      await journal.fail([{ key: 'a', sequence: first, error: 'no', retryIn: 'never' }])
      const [found] = await journal.claim(1, lease)
      same([found?.sequence, found?.attempts], [second, 0], 'claim gave')
      same((await journal.deadLetters(many)).length, 0, 'the number of dead letters was')
      await journal.fail([{ key: 'a', sequence: second, error: 'no', retryIn: lease }])
      await accept(journal, 'a', put(3))
      same(await taken(journal), [], 'one that replaced it was claimed before its time:')
      await pass(lease + 20)
      same((await journal.claim(1, lease))[0]?.attempts, 0, 'the attempts of the one that replaced it were')
    },
  },
  {
    name: 'a dead letter is listed with its error, readable, and not claimed',
    async run({ journal, pass }) {
      const sequence = await accept(journal, 'a', put(1))
      await accept(journal, 'b', put(2))
      await taken(journal, 1)
      await journal.fail([{ key: 'a', sequence, error: 'refused: é', retryIn: 'never' }])
      const letters = await journal.deadLetters(many)
      same(
        letters.map(({ key, sequence, attempts, error }) => ({ key, sequence, attempts, error })),
        [{ key: 'a', sequence, attempts: 1, error: 'refused: é' }],
        'the dead letters were',
      )
      claim(letters[0]!.failedAt > 0, 'a dead letter does not say when it was given up')
      const [letter] = letters
      same(letter?.kind === 'put' && letter.value, 1, 'the value of the dead letter was')
      same((await journal.read(['a'])).get('a')?.dead, true, 'read says that it is dead:')
      await pass(lease + 20)
      same(await taken(journal), ['b'], 'claim gave')
      await counted(journal, { accepted: 2, pending: 1, deadLettered: 1 })
    },
  },
  {
    name: 'a later write of its key replaces a dead letter',
    async run({ journal }) {
      const first = await accept(journal, 'a', put(1))
      await taken(journal)
      await journal.fail([{ key: 'a', sequence: first, error: 'no', retryIn: 'never' }])
      const second = await accept(journal, 'a', put(2))
      const [found] = await journal.claim(1, lease)
      same([found?.sequence, found?.attempts], [second, 0], 'claim gave')
      same((await journal.deadLetters(many)).length, 0, 'the number of dead letters was')
      await counted(journal, { accepted: 2, coalesced: 1, pending: 1 })
    },
  },
  {
    name: 'dead letters are retried and dropped, all or those named',
    async run({ journal }) {
      const all = ['a', 'b', 'c', 'd']
      for (const key of all) await accept(journal, key, put(key))
      const claimed = await journal.claim(many, lease)
      await journal.fail(
        claimed.map(({ key, sequence }) => ({ key, sequence, error: 'no', retryIn: 'never' })),
      )
      same((await journal.deadLetters(2)).length, 2, 'the number of dead letters in a list of two was')
      same(await journal.retry(['b', 'never']), ['b'], 'retry of one gave')
      same(await journal.drop(['c', 'b']), ['c'], 'drop of one gave')
      await counted(journal, { accepted: 4, pending: 1, deadLettered: 2, dropped: 1 })
      const [again] = await journal.claim(many, lease)
      same([again?.key, again?.attempts], ['b', 0], 'claim gave')
      same((await journal.retry()).toSorted(byText), ['a', 'd'], 'retry of all gave')
      same(await journal.drop(), [], 'drop of all gave')
      await counted(journal, { accepted: 4, pending: 3, dropped: 1 })
    },
  },
  {
    name: 'beyond the limit new keys find no room, and keys that are pending do; dead letters take room',
    async run({ journal }) {
      const first = await journal.put('a', put(1), 2)
      await journal.put('b', put(1), 2)
      same(await journal.put('c', put(1), 2), undefined, 'a third key was accepted as')
      claim((await journal.put('b', put(2), 2)) !== undefined, 'a key that is pending found no room')
      await taken(journal)
      await journal.fail([{ key: 'a', sequence: first!, error: 'no', retryIn: 'never' }])
      same(await journal.put('c', put(1), 2), undefined, 'beside a dead letter a third key was accepted as')
      await journal.drop()
      claim((await journal.put('c', put(1), 2)) !== undefined, 'there was no room after a drop')
      await counted(journal, { accepted: 4, coalesced: 1, pending: 2, dropped: 1 })
    },
  },
  {
    name: 'calls after close are ERR_CLOSED',
    async run({ journal }) {
      await journal.close()
      await journal.close()
      for (const call of [
        () => journal.put('a', put(1), many),
        () => journal.claim(1, lease),
        () => journal.ack([receipt('a', 1)]),
        () => journal.fail([{ key: 'a', sequence: 1, retryIn: 0 }]),
        () => journal.read(['a']),
        () => journal.counts(),
        () => journal.deadLetters(1),
        () => journal.retry(),
        () => journal.drop(),
      ] as (() => Awaitable<unknown>)[]) {
        const code = await Promise.resolve()
          .then(call)
          .then(
            () => 'nothing',
            (error: unknown) => (error as { code?: string }).code,
          )
        same(code, 'ERR_CLOSED', `${String(call)} failed with the code`)
      }
    },
  },
  {
    name: 'another process finds everything: what is pending, dead letters, counts; and goes on with the sequence',
    outlives: true,
    async run({ journal, other, pass }) {
      for (const key of ['a', 'b', 'c', 'd', 'a']) await accept(journal, key, put(key))
      const [a, b, c] = await journal.claim(3, lease)
      await journal.ack([a!])
      await journal.fail([
        { key: 'b', sequence: b!.sequence, error: 'refused', retryIn: 'never' },
        { key: 'c', sequence: c!.sequence, error: 'later', retryIn: 0 },
      ])
      await accept(journal, 'd', gone)
      const last = await accept(journal, 'e', put(new Map([[1, 2]])))
      const counts = { accepted: 7, applied: 1, coalesced: 2, pending: 3, deadLettered: 1 }
      await counted(journal, counts)
      const second = await other!()
      await counted(second, counts)
      same(
        (await second.deadLetters(many)).map(({ key, error }) => [key, error]),
        [['b', 'refused']],
        'the dead letters were',
      )
      await pass(lease + 20)
      const claimed = await second.claim(many, lease)
      same(
        claimed.map(({ key, kind }) => [key, kind]).toSorted(byText),
        [
          ['c', 'put'],
          ['d', 'delete'],
          ['e', 'put'],
        ],
        'claim gave',
      )
      same(claimed.find(({ key }) => key === 'c')?.attempts, 1, 'the attempts were')
      claim((await accept(second, 'f', put(1))) > last, 'a sequence of the other process is not larger')
    },
  },
]

/** The parts of a write in one order, for comparing. */
function order(write: object): object {
  return Object.fromEntries(Object.entries(write).toSorted(byText))
}

const byText = (a: unknown, b: unknown): number => (String(a) < String(b) ? -1 : 1)
