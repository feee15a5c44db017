import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import { cacheFn, cacheMap, cacheNode, type CacheNodeOptions, defineNode, runNode } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })

/** A node that shows what it was given, whatever that is. */
const shown = (key: CacheNodeOptions<unknown, string>['key'], show: (input: never) => unknown) => {
  const node = defineNode('n', (input: unknown) => `of ${String(show(input as never))}`)
  const cached = cacheNode(node, { cache: open(), scope: 'global', key })
  return async (input: unknown): Promise<string> => {
    const result = await runNode(cached, input)
    return result.success ? result.output : `${(result.error.cause as Error).name}: ${result.error.message}`
  }
}

class User {
  readonly #id: number
  constructor(id: number) {
    this.#id = id
  }
  get id(): number {
    return this.#id
  }
}

describe('key: { pick }', () => {
  it.each<[string, string, (value: string) => unknown, (input: never) => unknown]>([
    ['a getter of a class', 'id', (id) => new User(Number(id)), (user: User) => user.id],
    ['a Request', 'url', (id) => new Request(`https://a.test/${id}`), ({ url }: Request) => url],
    ['a URL', 'href', (id) => new URL(`https://a.test/${id}`), ({ href }: URL) => href],
    ['an Error', 'message', (id) => new Error(id), ({ message }: Error) => message],
    ['a RegExp', 'source', (id) => new RegExp(id), ({ source }: RegExp) => source],
    ['what is inherited', 'id', (id) => Object.create({ id }) as object, ({ id }: { id: string }) => id],
    ['a getter of a literal', 'id', (id) => ({ get id() { return id } }), ({ id }: { id: string }) => id], // prettier-ignore
  ])(
    'reads %s as a reader does: inputs that differ there have their own answers',
    async (_, name, make, show) => {
      const ask = shown({ pick: [name] }, show)
      const answers = [await ask(make('1')), await ask(make('2')), await ask(make('1'))]
      expect(answers).toEqual(['1', '2', '1'].map((id) => `of ${String(show(make(id) as never))}`))
    },
  )

  it.each<[string, unknown]>([
    ['a misspelt name', { user: 1 }],
    ['nothing but undefined', { nope: undefined }],
    ['a Map', new Map([['nope', 1]])],
    ['a Set', new Set(['nope'])],
    ['a Date', new Date(0)],
    ['URLSearchParams', new URLSearchParams('nope=1')],
    ['Headers', new Headers({ nope: '1' })],
    ['bytes', new ArrayBuffer(1)],
    ['a class that lacks it', new User(1)],
  ])('refuses %s: such inputs would all have one key', async (_, input) => {
    const answer = await shown({ pick: ['nope'] }, () => 'anybody')(input)
    expect(answer).toMatch(/^CacheKeyError: \$\.input .*'nope', which key\.pick names/)
  })

  it('takes what a plain object lacks for undefined, as long as there is something', async () => {
    const ask = shown(
      { pick: ['q', 'locale'] },
      ({ q, locale }: { q: string; locale?: string }) => q + locale,
    )
    expect(await ask({ q: 'a' })).toBe('of aundefined')
    expect(await ask({ q: 'a', locale: 'de' })).toBe('of ade')
    expect(await ask({ q: 'b', trace: 'x' })).toBe('of bundefined')
    expect(await ask(Object.assign(Object.create(null) as object, { q: 'b' }))).toBe('of bundefined')
  })

  it('does not take what every object inherits for its data', async () => {
    const answer = await shown({ pick: ['constructor', '__proto__'] }, () => 'anybody')({ user: 1 })
    expect(answer).toMatch(/^CacheKeyError: .*'constructor', '__proto__'/)
  })

  it('refuses a name that an instance of a class lacks, beside one that it has', async () => {
    const answer = await shown({ pick: ['id', 'tenant'] }, () => 'anybody')(new User(1))
    expect(answer).toContain("an instance of User and has no 'tenant'")
  })
})

describe('key: { omit }', () => {
  it.each<[string, unknown]>([
    ['a Map', new Map([['u', 'alice']])],
    ['a Set', new Set(['alice'])],
    ['a Date', new Date(0)],
    ['a URL', new URL('https://a.test/alice')],
    ['URLSearchParams', new URLSearchParams('u=alice')],
    ['Headers', new Headers({ authorization: 'alice' })],
    ['a Request', new Request('https://a.test/alice')],
    ['a RegExp', /alice/],
    ['an Error', new Error('alice')],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['an instance of a class', new User(1)],
    ['an object over another', Object.create({ user: 'alice' })],
  ])('refuses %s, whose data is not all in fields, and says what to do', async (_, input) => {
    const answer = await shown({ omit: ['trace'] }, () => 'anybody')(input)
    expect(answer).toMatch(
      /^CacheKeyError: .*name those that matter with key\.pick, or give key as a function$/,
    )
  })

  it('leaves fields of a plain object out, and no others', async () => {
    const ask = shown({ omit: ['trace'] }, ({ q, trace }: { q: string; trace: string }) => q + trace)
    expect(await ask({ q: 'a', trace: 1 })).toBe('of a1')
    expect(await ask({ trace: 2, q: 'a' })).toBe('of a1')
    expect(await ask({ q: 'b', trace: 1 })).toBe('of b1')
    expect(await ask(JSON.parse('{"q":"a","trace":3}'))).toBe('of a1')
  })
})

it.each(['text', 7, null, ['a']])('%j has no fields to pick or omit', async (input) => {
  for (const key of [{ pick: ['a'] }, { omit: ['a'] }])
    expect(await shown(key, () => 'anybody')(input)).toContain('give key as a function')
})

describe('a key as a function', () => {
  it('that answers with undefined is refused: it would be one key for all', async () => {
    const options = { cache: open(), scope: 'global' } as const
    const missing = (input: unknown) => (input as { nope?: unknown }).nope
    expect(
      await shown(
        ({ input }) => missing(input),
        () => 'anybody',
      )({ user: 1 }),
    ).toContain('CacheKeyError: key answered with undefined')
    const fn = cacheFn((user: string) => user, { ...options, name: 'f', key: missing })
    await expect(fn('alice')).rejects.toThrow('key answered with undefined')
    const map = cacheMap(
      defineNode('m', (users: readonly string[]) => users),
      { ...options, items: (users: readonly string[]) => users, assemble: (all) => all, keyOf: missing },
    )
    expect(await runNode(map, ['alice'])).toMatchObject({
      error: { message: expect.stringContaining('keyOf answered with undefined') as string },
    })
  })

  it('must answer at once: a promise is refused, and nothing is left unhandled', async () => {
    const ask = shown(
      async () => Promise.reject(new Error('late')),
      () => 'anybody',
    )
    expect(await ask({ user: 1 })).toMatch(
      /^CacheKeyError: \$\.input is an instance of Promise: await it first/,
    )
  })

  it('may say with null that nothing matters', async () => {
    const ask = shown(
      () => null,
      (input: string) => input,
    )
    expect([await ask('a'), await ask('b')]).toEqual(['of a', 'of a'])
  })

  it.each([{ pick: ['a'] }, { omit: ['a'] }, 'a'])('is all that cacheFn takes: %j is a TypeError', (key) => {
    const options = { cache: open(), scope: 'global', name: 'f', key: key as never } as const
    expect(() => cacheFn((user: string) => user, options)).toThrow('key must be a function')
  })
})

it.each([{}, { pick: 'a' }, { pick: [] }, { pick: [1] }, { pick: ['a'], omit: ['b'] }, { only: ['a'] }, 'a'])(
  'the key %j is a TypeError',
  (key) => {
    expect(() => shown(key as never, () => 1)).toThrow(TypeError)
  },
)
