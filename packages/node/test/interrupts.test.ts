import { defineNode, interrupt, type WorkflowResult, workflow } from '@flow-cache/node'
import { describe, expect, it } from 'vitest'

/** As it is after a night in a database. */
const stored = ({ snapshot }: WorkflowResult): NonNullable<typeof snapshot> =>
  JSON.parse(JSON.stringify(snapshot)) as NonNullable<typeof snapshot>

const later = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await undefined
}

describe('a branch that asks, beside others', () => {
  const make = () =>
    workflow({
      id: 'beside',
      nodes: [
        defineNode('s', () => 1),
        defineNode('ask', () => interrupt('sure?')),
        defineNode('b', async () => {
          await later()
          return 'b'
        }),
        defineNode('c', (b: string) => `${b}c`),
        defineNode('d', (all: object) => JSON.stringify(all)),
        defineNode('e', () => 'e'),
      ] as never,
      edges: { s: ['ask', 'b', 'e'], b: 'c', ask: 'd', c: 'd' },
    })

  it('holds them up, and loses nothing of them', async () => {
    const flow = make()
    const stopped = await flow.run(0)
    expect(stopped).toMatchObject({ status: 'interrupted', interrupt: { nodeId: 'ask' } })
    const result = await flow.resume(stored(stopped), 'yes')
    expect(result).toMatchObject({ status: 'success', output: { d: '{"ask":"yes","c":"bc"}', e: 'e' } })
    expect(result.path.toSorted()).toEqual(['ask', 'b', 'c', 'd', 'e', 's'])
  })
})

it('two branches that ask are answered one after the other', async () => {
  const flow = workflow({
    id: 'two',
    nodes: [
      defineNode('s', () => undefined),
      defineNode('legal', () => interrupt('legal?')),
      defineNode('money', async () => {
        await later()
        return interrupt('money?')
      }),
      defineNode('pay', (all: object) => JSON.stringify(all)),
    ] as never,
    edges: { s: ['legal', 'money'], legal: 'pay', money: 'pay' },
  })
  const first = await flow.run(0)
  expect(first.interrupt).toMatchObject({ nodeId: 'legal' })
  const second = await flow.resume(stored(first), 'yes')
  expect(second).toMatchObject({ status: 'interrupted', interrupt: { nodeId: 'money' } })
  expect(await flow.resume(stored(second), 'no')).toMatchObject({
    status: 'success',
    output: '{"legal":"yes","money":"no"}',
  })
})

it('a snapshot keeps that a node without an output is done', async () => {
  const flow = workflow({
    id: 'nothing',
    nodes: [
      defineNode('s', () => 1),
      defineNode('quiet', () => undefined),
      defineNode('ask', () => interrupt('sure?')),
      defineNode('end', (all: object) => Object.keys(all).join()),
    ] as never,
    edges: { s: ['quiet', 'ask'], quiet: 'end', ask: 'end' },
  })
  expect(await flow.resume(stored(await flow.run(0)), 'yes')).toMatchObject({ output: 'quiet,ask' })
})

it('a snapshot that is none is refused', async () => {
  const flow = workflow({ id: 'w', nodes: [defineNode('a', () => 1)] })
  for (const snapshot of [null, {}, { workflow: 'w', at: 'a' }, { workflow: 'v' }])
    await expect(flow.resume(snapshot as never, 1)).rejects.toMatchObject({ code: 'ERR_WORKFLOW' })
})
