import { execFile } from 'node:child_process'
import { isDeepStrictEqual, promisify } from 'node:util'
import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore } from '@flow-cache/core/testing'
import * as nodes from '@flow-cache/node'
import { cacheFn, cacheMap, cacheNode, defineNode, pipe, runNode, workflow } from '@flow-cache/node'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { keysOf } from './key-cases.js'
import { build } from './outage/step-process.js'
import { output } from './results.js'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })

/** Checked in: a release that changes one of them would lose what everybody has stored. */
const golden: Readonly<Record<string, string>> = {
  'a bigint': 'n:WSafPaKl3RT_nJgMbHlGuIcbOSj7RR02QC0ZFw_MMyY',
  'a date': 'n:XytyV239V9Q3IPw02YoG2-v6Wvdt-Io8KkFDHWyIYlU',
  'a function': 'f:Vpda4DwrgqrKmU3PUQr60B7IjaA0114AHJc2y2FY8w0',
  'a map and a set': 'n:4f8znclJqegbPgWc71o8eGVP7A--2OA8N-uLBhSOG6A',
  'a namespace': 'preview:n:NwdYIZleTfJzx6xCLPZJ46dwUifZfUGjZ5zylGFgJJQ',
  'a scope': 'n:pW3PplpznjCeYrL7vVbPL5XRF_Os4CPaRdysl-VldEo',
  'a secret': 'n:jbGMm0_E9dnr7ISOAiKSNgyh44blp2jTcLNusSVzgiE',
  'a type, a version and a config': 'n:J4nOXeJwrRVYGXBOsijv7w16Qv2bm3sVaXCK9bpic5g',
  'a workflow': 'n:Ajf14P1vPUyY6AfpiKW0W-NyP3PvUxzN3tx6RvE1ERs',
  'an address and a pattern': 'n:lq_yjxa8RL5HVYakSNXp40Wdy4YZTN-5SoflZag-fRE',
  'an empty list': 'n:unU2DljtkzDtl6j4hc5Zn6quHP8gJfn1_60z2dZ3Opg',
  'an empty object': 'n:cBT8jDawiopWQ59eLLIMOgjE12W2EgvWQ-Uwz2Uv2l4',
  bytes: 'n:l24aUtbvPlZeNqQMxW7Ys8o9EY0Ubg98k7hRyZkPLRA',
  messages: 'n:ugm48ksdIDg8hCQnwi94-oM3Q6uezZa_2B0NfoUHR84',
  'names in another order': 'n:ugm48ksdIDg8hCQnwi94-oM3Q6uezZa_2B0NfoUHR84',
  'names that look like tags': 'n:vHl3VuYQSSuTvYOcjHw51xeD06F0IO-DIooQMHdVKGY',
  null: 'n:Y95rCV-w01hTadTuDrKXR6Mt2TE-UP9_fBbqVqeI0mw',
  numbers: 'n:7bOU_YtcHhzesb6M9c-jbE4ZC1FDZF4DOoO0V0bBSGw',
  'picked fields': 'n:Io4oviLfP9_pu0ynVHmsG2AbYgv5hXsc1LgFvsTcoIM',
  undefined: 'n:5o-n9jw8eKLOBTCZEqPWFqMOgDYYgtCxB1skz3gbGAU',
  variables: 'n:QcwZxppPn7yuvQsAP3F7MsnIqFg_S767iyAel6NeF5o',
  'zero, of either sign': 'n:cxRpnD0vxkkaxpaeWwINzrfbTT0L_Qxc4pdGj9xXasU',
}

describe('15. the key of a call', () => {
  it('does not change from release to release', async () => {
    const keys = await keysOf(nodes, open())
    expect(keys).toEqual(golden)
    expect(keys['messages']).toBe(keys['names in another order'])
    expect(new Set(Object.values(keys)).size).toBe(Object.keys(keys).length - 1)
  })

  describe('in a process of its own', () => {
    beforeAll(build, 120_000)

    it.each([
      { TZ: 'Asia/Tokyo', LC_ALL: 'de_DE.UTF-8' },
      { TZ: 'America/St_Johns', LC_ALL: 'C' },
    ])('is the same, with %j', async (env) => {
      const dist = (name: string): string => new URL(`../../${name}/dist/index.js`, import.meta.url).href
      const program = `
        import { InMemoryCache } from '${dist('memory')}'
        import * as nodes from '${dist('node')}'
        ${keysOf.toString()}
        process.stdout.write(JSON.stringify(await keysOf(nodes, new InMemoryCache())))`
      const flags = ['--input-type=module', '-e', program]
      const { stdout } = await promisify(execFile)(process.execPath, flags, {
        env: { ...process.env, ...env },
      })
      expect(JSON.parse(stdout)).toEqual(golden)
    })
  })
})

/** A small vocabulary, so that two values are equal often enough, with all that could be mistaken for a tag. */
const word = fc.constantFrom('', 'a', 'b', '$', '$$', '$date', '$undefined', '$map', '$bigint', '1', 'null')
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    word,
    fc.constantFrom(0, 1, -1, 0.5, true, false, null, 1n, 2n),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(0, 1).map((ms) => new Date(ms)),
    fc.uint8Array({ maxLength: 2 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    fc.array(fc.tuple(word, tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.uniqueArray(word, { maxLength: 3 }).map((parts) => new Set(parts)),
  ),
}))

const call = fc.record(
  {
    id: fc.constantFrom('n', 'm', 'n:m'),
    workflowId: fc.constantFrom('n', 'flow', ''),
    type: fc.option(fc.constantFrom('llm', 'tool'), { nil: undefined }),
    version: fc.constantFrom('1', '2', '1:2'),
    config: value,
    scope: fc.oneof(
      fc.constant('global' as const),
      fc.dictionary(fc.constantFrom('t', 'u'), fc.constantFrom('a', 'b', 1, true), {
        minKeys: 1,
        noNullPrototype: true,
      }),
    ),
    input: value,
    variables: fc.record({ x: value, y: value }, { noNullPrototype: true }),
  },
  { noNullPrototype: true },
)
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never

const cache = open()
const keyOfCall = async ({ scope, input, variables, workflowId, ...parts }: Call): Promise<string> => {
  const node = { ...defineNode('n', () => 0), ...parts }
  const cached = cacheNode(node, { cache, scope, reads: ['x', 'y'] })
  return (await cached.explain(input, { variables, workflowId })).key
}

describe('15. the keys of two calls', () => {
  it('are the same exactly if everything that matters is', async () => {
    await fc.assert(
      fc.asyncProperty(
        call,
        call,
        fc.subarray([
          'id',
          'workflowId',
          'type',
          'version',
          'config',
          'scope',
          'input',
          'variables',
        ] as const),
        async (one, other, same) => {
          // They agree in some parts, all of them at times.
          const two = { ...other, ...Object.fromEntries(same.map((name) => [name, one[name]])) }
          const equal = isDeepStrictEqual(one, two)
          expect((await keyOfCall(one)) === (await keyOfCall(two))).toBe(equal)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('are the same whatever the order of names, entries and parts', async () => {
    const shuffled = (part: unknown): unknown => {
      if (Array.isArray(part)) return part.map(shuffled)
      if (part instanceof Map)
        return new Map([...part].toReversed().map(([key, of]) => [key as unknown, shuffled(of)]))
      if (part instanceof Set) return new Set([...part].toReversed())
      if (typeof part !== 'object' || part === null || part instanceof Date || part instanceof Uint8Array)
        return part
      return Object.fromEntries(
        Object.entries(part)
          .toReversed()
          .map(([name, of]) => [name, shuffled(of)]),
      )
    }
    await fc.assert(
      fc.asyncProperty(call, async (one) => {
        const { input, config, variables } = one
        const two = {
          ...one,
          input: shuffled(input),
          config: shuffled(config),
          variables: shuffled(variables) as typeof variables,
        }
        expect(await keyOfCall(two)).toBe(await keyOfCall(one))
      }),
      { numRuns: 200 },
    )
  })

  it('differ between a value and data that looks like its tag', async () => {
    const forged: readonly (readonly [unknown, unknown])[] = [
      [new Date(0), { $date: '1970-01-01T00:00:00.000Z' }],
      [1n, { $bigint: '1' }],
      [[undefined], [{ $undefined: true }]],
      [new Map([['a', 1]]), { $map: [['a', 1]] }],
      [new Set(['a']), { $set: ['a'] }],
      [new URL('https://a.b/'), { $url: 'https://a.b/' }],
      [/a/g, { $re: ['a', 'g'] }],
      [{ $a: 1 }, { $$a: 1 }],
    ]
    const base = {
      id: 'n',
      workflowId: 'n',
      type: undefined,
      version: '1',
      config: 0,
      scope: 'global',
      variables: { x: 0, y: 0 },
    } as const
    for (const [real, forgery] of forged)
      expect(await keyOfCall({ ...base, input: real })).not.toBe(await keyOfCall({ ...base, input: forgery }))
  })
})

describe('5. nodes of one name', () => {
  it('in two workflows do not share answers, as one in a workflow and outside of it', async () => {
    const cache = open()
    const brief = (how: string) =>
      cacheNode(
        defineNode('brief', (x: number) => `${how} ${x}`),
        { cache, scope: 'global' },
      )
    const [short, long, bare] = [brief('short'), brief('long'), brief('bare')]
    const flows = [
      workflow({ id: 'note', nodes: [short] }),
      workflow({ id: 'page', nodes: [pipe('all', long)] }),
    ] as const
    for (const _ of [1, 2]) {
      expect((await flows[0].run(1)).output).toBe('short 1')
      expect((await flows[1].run(1)).output).toBe('long 1')
      expect(output(await runNode(bare, 1))).toBe('bare 1')
    }
    expect([short, long, bare].map((node) => node.report().hits)).toEqual([1, 1, 1])
  })

  it('that cache each item do not share them between workflows either', async () => {
    const cache = open()
    const make = (how: string) =>
      cacheMap(
        defineNode('brief', (texts: readonly string[]) => texts.map((text) => `${how} ${text}`)),
        { cache, scope: 'global', items: (texts: readonly string[]) => texts, assemble: (all) => all },
      )
    for (const how of ['short', 'long', 'short'])
      expect((await workflow({ id: how, nodes: [make(how)] }).run(['a'])).output).toEqual([`${how} a`])
  })

  it('are explained and invalidated in the workflow that is named', async () => {
    const cached = cacheNode(
      defineNode('n', () => 1),
      { cache: open(), scope: 'global' },
    )
    const flow = workflow({ id: 'flow', nodes: [cached] })
    await flow.run(1)
    expect((await cached.explain(1, { workflowId: 'flow' })).entry.state).toBe('fresh')
    expect((await cached.explain(1)).entry.state).toBe('absent')
    expect(await cached.invalidate(1, { workflowId: 'flow' })).toBe(true)
    expect((await flow.run(1)).nodes['n']?.cache?.status).toBe('miss')
  })

  it('a miss says that the workflow is another', async () => {
    const cached = cacheNode(
      defineNode('n', () => 1),
      { cache: open(), scope: 'global' },
    )
    const status = async (id: string) => (await workflow({ id, nodes: [cached] }).run(1)).nodes['n']?.cache
    expect(await status('a')).toMatchObject({ reason: 'cold' })
    expect(await status('b')).toMatchObject({ reason: 'workflow' })
  })

  it("go by their code with version: 'source', and so do functions, pipes and what wraps them", async () => {
    const cache = open()
    const same = { cache, scope: 'global', version: 'source' } as const
    const makers: readonly ((code: () => number) => Promise<string> | string)[] = [
      async (code) => (await cacheNode(defineNode('n', code), same).explain(1)).key,
      async (code) =>
        (await cacheNode(defineNode('n', code, { version: 'source' }), { cache, scope: 'global' }).explain(1))
          .key,
      async (code) => (await cacheNode(cacheNode(defineNode('n', code), same), same).explain(1)).key,
      async (code) => (await cacheNode(pipe('p', defineNode('n', code)), same).explain(1)).key,
      (code) => cacheFn(code, { ...same, name: 'f' }).keyFor(),
    ]
    for (const key of makers) {
      expect(await key(() => 1)).not.toBe(await key(() => 2))
      expect(await key(() => 1)).toBe(await key(() => 1))
    }
  })

  it("cannot go by the code of a bound function: 'source' is a TypeError", () => {
    const same = { cache: open(), scope: 'global', version: 'source' } as const
    const bound = function (this: number) {
      return this
    }.bind(1)
    expect(() => cacheNode(defineNode('n', bound), same)).toThrow(/bound/)
    expect(() => cacheFn(bound, { ...same, name: 'f' })).toThrow(/bound/)
  })

  it.each([3, ''])('a version that is %j is a TypeError, wherever it is given', (wrong) => {
    const cache = open()
    const version = wrong as string
    const same = { cache, scope: 'global' } as const
    const node = defineNode('n', () => 1)
    const makers = [
      () => cacheNode(node, { ...same, version }),
      () => cacheNode({ ...node, version }, same),
      () => cacheFn(() => 1, { ...same, name: 'f', version }),
      () =>
        cacheMap(
          defineNode('m', () => [1]),
          { ...same, version, items: () => [1], assemble: () => 1 },
        ),
    ]
    for (const make of makers) expect(make).toThrow(/version must be a non-empty string/)
  })

  it('a version that is given stands for the code, whatever its text', async () => {
    const cache = open()
    const make = (code: () => number) =>
      cacheNode(defineNode('n', code), { cache, scope: 'global', version: '7' })
    expect(
      output(
        await runNode(
          make(() => 1),
          0,
        ),
      ),
    ).toBe(1)
    expect(
      output(
        await runNode(
          make(() => 2),
          0,
        ),
      ),
    ).toBe(1)
  })
})
