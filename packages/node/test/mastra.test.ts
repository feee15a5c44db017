import { createCache } from '@flow-cache/core'
import { fakeClock, gate, mapStore } from '@flow-cache/core/testing'
import { cacheStep, type CacheStepOptions } from '@flow-cache/node/mastra'
import { RuntimeContext } from '@mastra/core/runtime-context'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { caches } from './caches.js'

const open = (clock = fakeClock()) => createCache({ store: mapStore(clock), clock })
const inputSchema = z.object({ question: z.string() })
const outputSchema = z.object({ answer: z.unknown() })
interface Params {
  inputData: { question: string }
  resourceId: string
  runtimeContext: RuntimeContext
  getInitData: () => unknown
  bail: (result: unknown) => unknown
  setState: (state: unknown) => void
}

const stepOf = (execute: (params: Params) => unknown) =>
  createStep({ id: 'work', inputSchema, outputSchema, execute: execute as never })

/** Runs a workflow of that one step. */
async function run(step: ReturnType<typeof stepOf>, start: object = {}, resourceId?: string) {
  const flow = createWorkflow({ id: 'flow', inputSchema, outputSchema }).then(step).commit()
  const one = await flow.createRunAsync(resourceId === undefined ? {} : { resourceId })
  return one.start({ inputData: { question: 'q' }, ...start })
}
const cached = (
  execute: (params: Params) => unknown,
  options: Partial<CacheStepOptions<Params, unknown>> = {},
) => cacheStep(stepOf(execute), { cache: open(), scope: 'global', ...options } as never)

describe.each(Object.keys(caches))('cacheStep on %s', (kind) => {
  it('twenty workflows at once cost one run, and each gets an answer of its own', async () => {
    await using cache = caches[kind]!()
    let runs = 0
    const door = gate()
    const step = cached(
      async () => {
        runs++
        await door.wait()
        return { answer: { n: 1 } }
      },
      { cache },
    )
    const all = Array.from({ length: 20 }, async () => run(step))
    door.open()
    const results = [...(await Promise.all(all)), await run(step)]
    expect(runs).toBe(1)
    for (const result of results)
      expect(result).toMatchObject({ status: 'success', result: { answer: { n: 1 } } })
  })
})

describe('cacheStep', () => {
  it("5. goes by its version, and refuses 'source': Mastra's wrapper has the same text for every step", async () => {
    const cache = open()
    const [short, long] = [
      cached(() => ({ answer: 'short' }), { cache, version: '1' }),
      cached(() => ({ answer: 'long' }), { cache, version: '2' }),
    ]
    for (let i = 0; i < 2; i++) {
      expect(await run(short)).toMatchObject({ result: { answer: 'short' } })
      expect(await run(long)).toMatchObject({ result: { answer: 'long' } })
    }
    expect(() => cached(() => 1, { version: 'source' })).toThrow(/version cannot be 'source'/)
  })

  it('keeps resources apart, and reads of a request what its key knows of', async () => {
    const step = cached(({ runtimeContext }) => ({ answer: runtimeContext.get('locale') }), {
      scope: ({ resourceId }) => ({ resource: resourceId }),
      reads: ['locale'],
    })
    const ask = async (resource: string, locale: string) =>
      run(step, { runtimeContext: new RuntimeContext([['locale', locale]]) }, resource)
    expect(await ask('a', 'en')).toMatchObject({ result: { answer: 'en' } })
    expect(await ask('a', 'de')).toMatchObject({ result: { answer: 'de' } })
    let runs = 0
    const counts = cached(() => ({ answer: ++runs }), {
      scope: ({ resourceId }) => ({ resource: resourceId }),
    })
    for (const resource of ['a', 'b', 'a', 'b']) await run(counts, {}, resource)
    expect(runs).toBe(2)
    expect((await run(counts)).status).toBe('failed')

    const reads = cached(({ runtimeContext }) => ({ answer: runtimeContext.get('user') }))
    const result = await run(reads, { runtimeContext: new RuntimeContext([['user', 'bob']]) })
    expect(String((result as { error?: unknown }).error)).toContain("'user'")
  })

  it('refuses to read what other steps answered, unless the key is made by hand', async () => {
    const reads = ({ getInitData }: Params) => ({ answer: getInitData() })
    expect((await run(cached(reads))).status).toBe('failed')
    const byHand = cached(reads, {
      key: ({ getInitData }) => getInitData(),
    })
    expect(await run(byHand)).toMatchObject({ result: { answer: { question: 'q' } } })
  })

  it('keeps neither errors, what bailed out, nor what was suspended, and runs uncached when resumed', async () => {
    let runs = 0
    const fails = cached(() => {
      if (++runs === 1) throw new Error('first')
      return { answer: runs }
    })
    expect((await run(fails)).status).toBe('failed')
    expect(await run(fails)).toMatchObject({ result: { answer: 2 } })

    let bailed = 0
    const bails = cached(({ bail }) => (bailed++, bail({ answer: 'out' })))
    for (let i = 0; i < 2; i++) expect(await run(bails)).toMatchObject({ result: { answer: 'out' } })
    expect(bailed).toBe(2)

    let asked = 0
    const step = cacheStep(
      createStep({
        id: 'asks',
        inputSchema,
        outputSchema,
        resumeSchema: z.object({ reply: z.string() }),
        execute: async ({ resumeData, suspend }) => {
          if (resumeData !== undefined) return { answer: resumeData.reply }
          asked++
          await suspend({})
          return { answer: 'none' }
        },
      }),
      { cache: open(), scope: 'global' },
    )
    for (const n of [1, 2]) {
      const result = await run(step as never)
      expect(result.status).toBe('suspended')
      expect(asked).toBe(n)
    }
    const resumed = (reply: string) =>
      step.execute({ inputData: { question: 'q' }, resumeData: { reply } } as never)
    expect(await resumed('yes')).toEqual({ answer: 'yes' })
    expect(await resumed('no')).toEqual({ answer: 'no' })
  })

  it('writes on a hit what it wrote', async () => {
    const told: unknown[] = []
    const writer = { write: async (chunk: unknown) => void told.push(chunk) }
    const step = cacheStep(
      {
        id: 'writes',
        execute: async (params: { inputData: string; writer: typeof writer }) => {
          await params.writer.write({ part: 1 })
          return params.inputData
        },
      },
      { cache: open(), scope: 'global' },
    )
    for (let i = 0; i < 2; i++) expect(await step.execute({ inputData: 'q', writer })).toBe('q')
    expect(told).toEqual([{ part: 1 }, { part: 1 }])
    expect(step.id).toBe('writes')
  })

  it('sets on a hit the state that it set', async () => {
    const state: unknown[] = []
    const step = cached(({ setState }) => {
      setState({ n: 1 })
      return { answer: 1 }
    })
    const params = { inputData: { question: 'q' }, setState: (each: unknown) => void state.push(each) }
    for (let i = 0; i < 2; i++) expect(await step.execute(params as never)).toEqual({ answer: 1 })
    expect(state).toEqual([{ n: 1 }, { n: 1 }])
  })

  it('runs although the cache is closed, and refuses options that are wrong', async () => {
    const cache = open()
    await cache.close()
    expect(await run(cached(() => ({ answer: 1 }), { cache }))).toMatchObject({ result: { answer: 1 } })
    for (const wrong of [{ scope: undefined }, { scope: {} }, { cache: {} }, { tll: 1 }])
      expect(() => cached(() => ({}), wrong as never)).toThrow(TypeError)
  })
})
