import type { Cache } from '../../cache.js'
import type { GetOrSetOptions } from '../../options.js'
import type { Scheduler } from '../scheduler.js'
import type { Changed, Chronicle, Made, Moment } from './chronicle.js'

/** What a change is made by. */
export type KindOfChange = 'set' | 'delete' | 'expire' | 'invalidate' | 'clear' | 'pattern' | 'many'

const keys = ['a', 'b', 'c']
const tagOf = (key: string): string => (key === 'c' ? 'rest' : 'first')

/** How many do something at once, and each of them twice. */
const players = 14

/** What callers are told of loads that fail, of their own leaving and of their patience. */
const expected = /left|ill|no value of '.' within/

/** Asks caches at random, and tells the chronicle. */
export class Player {
  readonly #caches: readonly Cache[]
  readonly #order: Scheduler
  readonly #chronicle: Chronicle
  readonly #without: readonly KindOfChange[]

  constructor(
    caches: readonly Cache[],
    order: Scheduler,
    chronicle: Chronicle,
    without: readonly KindOfChange[],
  ) {
    this.#without = without
    this.#caches = caches
    this.#order = order
    this.#chronicle = chronicle
  }

  /** What all of them do. */
  tasks(): readonly (() => Promise<void>)[] {
    const read = (): Promise<void> => this.#read()
    const many = (): Promise<void> => this.#readMany()
    const look = (): Promise<void> => this.#look()
    const change = (): Promise<void> => this.#change()
    return Array.from({ length: players }, (_, i) => async () => {
      await this.#order.step(`player ${i}`)
      await this.#pick([read, many, read, look, change])()
      await this.#order.step(`player ${i} again`)
      await this.#pick([read, many, look, change])()
    })
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#order.random() * list.length)]!
  }

  /** A process. */
  #one(): number {
    return this.#pick([...this.#caches.keys()])
  }

  async #read(): Promise<void> {
    const by = this.#one()
    const key = this.#pick(keys)
    const began = this.#chronicle.now()
    const tags = this.#pick([[], [tagOf(key)], ['other']])
    const answer = this.#caches[by]!.getOrSet<Made>(
      key,
      async ({ options }) => {
        const begun = this.#chronicle.now()
        await this.#order.step(`the loader of ${key}`)
        if (this.#happens(0.4)) options.tags = [...tags, tagOf(key)]
        const value = loaded(key, options.tags, by, begun)
        if (this.#happens(0.25)) throw new Error('the origin is ill')
        return value
      },
      { tags, ...this.#asking() },
    )
    await answer.then((value) => this.#chronicle.saw(key, began, value, 'getOrSet'), expect)
  }

  async #readMany(): Promise<void> {
    const by = this.#one()
    const began = this.#chronicle.now()
    const tags = this.#pick([[], ['first'], ['other']])
    const answer = this.#caches[by]!.getOrSetMany<Made>(
      this.#pick([keys, ['b', 'a'], ['c', 'b']]),
      async (missing, { options }) => {
        const begun = this.#chronicle.now()
        await this.#order.step(`the loader of ${missing.join(', ')}`)
        if (this.#happens(0.4)) options.tags = [...tags, 'rest']
        if (this.#happens(0.25)) throw new Error('the origin is ill')
        const found = missing.filter(() => this.#happens(0.8))
        return new Map(found.map((key) => [key, loaded(key, options.tags, by, begun)]))
      },
      { tags, ...this.#asking() },
    )
    await answer.then((values) => {
      for (const [key, value] of values) this.#chronicle.saw(key, began, value, 'getOrSet')
    }, expect)
  }

  async #look(): Promise<void> {
    const key = this.#pick(keys)
    const began = this.#chronicle.now()
    this.#chronicle.saw(key, began, await this.#caches[this.#one()]!.get<Made>(key), 'get')
  }

  async #change(): Promise<void> {
    const by = this.#one()
    const cache = this.#caches[by]!
    const key = this.#pick(keys)
    const tag = this.#pick([tagOf(key), tagOf(key), 'other'])
    const begun = this.#chronicle.now()
    const value: Made = { key, kind: 'set', tags: [tagOf(key)], by, begun }
    const one = ({ key: changed }: Made): boolean => changed === key
    const all = (): boolean => true
    const changes: Record<KindOfChange, readonly [() => Promise<unknown>, Changed['covers']]> = {
      set: [() => cache.set(key, value, { tags: value.tags }), one],
      delete: [() => cache.delete(key), one],
      expire: [() => cache.expire(key), one],
      invalidate: [() => cache.invalidateTags([tag]), ({ tags }: Made) => tags.includes(tag)],
      clear: [() => cache.clear(), all],
      pattern: [() => cache.clearPattern(key), one],
      many: [() => cache.deleteMany(keys), all],
    }
    const kinds = Object.keys(changes) as KindOfChange[]
    const kind = this.#pick(kinds.filter((one) => !this.#without.includes(one)))
    const [act, covers] = changes[kind]
    await act()
    const softly = kind === 'expire'
    this.#chronicle.changed({ kind, covers, softly, by, begun, ...(kind === 'set' && { value }) })
  }

  /** How a caller asks and waits, as options: most plainly and to the end, some leave, some are impatient. */
  #asking(): GetOrSetOptions {
    const leaves = this.#order.random()
    const leaver = new AbortController()
    if (leaves < 0.2) void this.#order.step('a caller leaves').then(() => leaver.abort(new Error('left')))
    return {
      ...(leaves < 0.2 && { signal: leaver.signal }),
      ...(leaves > 0.8 && { timeouts: { soft: 5, hard: 20 } }),
      ...(this.#happens(0.1) && { forceRefresh: true }),
      ...(this.#happens(0.3) && { refreshAhead: 0.1 }),
      ...(this.#happens(0.1) && { skip: this.#pick(['read', 'write', 'both'] as const) }),
      ...(this.#happens(0.2) && { errorTtl: 50 }),
    }
  }

  #happens(share: number): boolean {
    return this.#order.random() < share
  }
}

const loaded = (key: string, tags: readonly string[] | undefined, by: number, begun: Moment): Made => ({
  key,
  kind: 'load',
  tags: tags ?? [],
  by,
  begun,
})

function expect(error: unknown): void {
  if (!expected.test(String(error))) throw error
}
