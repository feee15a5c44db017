import { createCache } from '@flow-cache/core'
import { fakeClock, gate, mapStore, settle } from '@flow-cache/core/testing'
import { cacheMap, cacheNode, createVariables, defineNode, runNode, type StepEvent } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'
import { info, output } from './results.js'

const open = () => {
  const clock = fakeClock()
  return createCache({ store: mapStore(clock), clock })
}

const chunksOf = async (result: Awaited<ReturnType<typeof runNode>>): Promise<unknown[]> => {
  const chunks: unknown[] = []
  for await (const chunk of output(result) as AsyncIterable<unknown>) chunks.push(chunk)
  return chunks
}

describe('what changes while a step runs', () => {
  it('in a variable that it reads, it does not see', async () => {
    const cache = open()
    const door = gate()
    const cached = cacheNode(
      defineNode('read', async (_: number, { workflow }) => {
        await door.wait()
        return `in ${workflow.variables.get<string>('locale')}`
      }),
      { cache, scope: 'global', reads: ['locale'] },
    )
    const variables = createVariables({ locale: 'de' })
    const asked = runNode(cached, 1, { variables })
    const joined = runNode(cached, 1, { variables: createVariables({ locale: 'de' }) })
    await settle()
    variables.set('locale', 'en')
    door.open()
    expect([output(await asked), output(await joined)]).toEqual(['in de', 'in de'])
    const again = await runNode(cached, 1, { variables: createVariables({ locale: 'de' }) })
    expect([output(again), info(again).status]).toEqual(['in de', 'hit'])
  })

  it('in the scope, it does not see, and neither does a map', async () => {
    const cache = open()
    const door = gate()
    const whose = { tenant: 'a' }
    const node = defineNode('secret', async (_: number, { workflow }) => {
      await door.wait()
      return `secret of ${workflow.scope?.['tenant']}`
    })
    const cached = cacheNode(node, { cache, scope: () => whose })
    const mapped = cacheMap(
      defineNode('secrets', async (items: readonly number[], { workflow }) => {
        await door.wait()
        return items.map(() => `secret of ${workflow.scope?.['tenant']}`)
      }),
      { cache, scope: () => whose, items: (items: readonly number[]) => items, assemble: (all) => all },
    )
    const asked = [runNode(cached, 1), runNode(mapped, [1])]
    await settle()
    whose.tenant = 'b'
    door.open()
    expect((await Promise.all(asked)).map((result) => output<unknown>(result))).toEqual([
      'secret of a',
      ['secret of a'],
    ])
    expect(output(await runNode(cached, 1))).toBe('secret of b')
    expect(output(await runNode(mapped, [1]))).toEqual(['secret of b'])
  })
})

describe('what readers do to chunks', () => {
  it('nobody else sees, and neither does what the source does to them', async () => {
    const cache = open()
    const cached = cacheNode(
      defineNode('stream', async function* () {
        const one = { text: '' }
        for (const letter of 'abc') {
          one.text += letter
          yield one
        }
      }),
      { cache, scope: 'global' },
    )
    const texts = async (result: Awaited<ReturnType<typeof runNode>>): Promise<string[]> => {
      const all: string[] = []
      for await (const chunk of output<unknown>(result) as AsyncIterable<{ text: string }>) {
        all.push(chunk.text)
        chunk.text = 'changed'
      }
      return all
    }
    const [one, other] = await Promise.all([runNode(cached, 1), runNode(cached, 1)])
    expect(await Promise.all([texts(one), texts(other)])).toEqual([
      ['a', 'ab', 'abc'],
      ['a', 'ab', 'abc'],
    ])
    await cache.drain()
    expect(await texts(await runNode(cached, 1))).toEqual(['a', 'ab', 'abc'])
    expect(await chunksOf(await runNode(cached, 1))).toEqual([{ text: 'a' }, { text: 'ab' }, { text: 'abc' }])
  })

  it('holds for what is emitted, too', async () => {
    const cached = cacheNode(
      defineNode('emit', (_: number, context) => {
        context.emit({ text: 'a' })
        return 1
      }),
      { cache: open(), scope: 'global' },
    )
    const heard: unknown[] = []
    const onChunk = (chunk: unknown): void => {
      heard.push({ ...(chunk as object) })
      ;(chunk as { text: string }).text = 'changed'
    }
    await runNode(cached, 1, { onChunk })
    await runNode(cached, 1, { onChunk })
    expect(heard).toEqual([{ text: 'a' }, { text: 'a' }])
  })
})

describe('what options answer', () => {
  it('is refused where it cannot be used, and nothing is left unhandled', async () => {
    const events: StepEvent[] = []
    const cached = cacheNode(
      defineNode('n', () => 1),
      {
        cache: open(),
        scope: 'global',
        tags: (() => 'acme') as never,
        cost: (async () => Promise.reject(new Error('late'))) as never,
        onMiss: async () => Promise.reject(new Error('late')),
        onEvent: async (event: StepEvent) => {
          events.push(event)
          throw new Error('late')
        },
      },
    )
    expect(output(await runNode(cached, 1))).toBe(1)
    expect(events.map((event) => 'error' in event && (event.error as Error).message)).toEqual([
      'cost must answer at once, with numbers',
      'tags must answer with an array of strings',
    ])
  })

  it('a node may throw anything, and fails', async () => {
    const thrown = [Object.create(null), { message: 'plain' }, null, 'text']
    const results = await Promise.all(
      thrown.map(async (value: unknown) =>
        runNode(
          defineNode('n', () => {
            throw value
          }),
          1,
        ),
      ),
    )
    expect(results.map((result) => !result.success && result.error.message)).toEqual([
      'something was thrown that cannot be shown',
      'plain',
      'null',
      'text',
    ])
  })
})
