import { createCache } from '@flow-cache/core'
import { fakeClock } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type Document, type Help, helpGraph, tagOf } from '../src/langgraph-graph.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000 })

function open() {
  const shelves: Record<string, Document[]> = {
    acme: [
      { id: '1', text: 'lamps are warm' },
      { id: '2', text: 'chairs are hard' },
    ],
    zen: [{ id: '3', text: 'lamps are off' }],
  }
  const counts = { searches: 0, answers: 0, down: false }
  const help: Help = {
    async search(tenant, question) {
      counts.searches++
      if (counts.down) throw new Error('the search is away')
      return shelves[tenant]!.filter(({ text }) => text.includes(question))
    },
    async *answer(_, documents) {
      counts.answers++
      for (const word of documents[0]!.text.split(/(?<= )/)) yield word
    },
  }
  const clock = fakeClock()
  const cache = createCache({ store: memoryStore({ clock }), clock })
  onTestFinished(() => cache.close())
  const graph = helpGraph(help, cache)
  const ask = async (tenant: string, question: string) =>
    (await graph.invoke({ question }, { configurable: { tenant } })).answer
  return { shelves, counts, clock, cache, graph, ask }
}

it('ten runs at once cost one search and one answer, and a tenant sees what is its own', async () => {
  const { counts, ask } = open()
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask('acme', 'lamps')))
  expect(new Set(answers)).toEqual(new Set(['lamps are warm']))
  expect(counts).toMatchObject({ searches: 1, answers: 1 })
  expect(await ask('zen', 'lamps')).toBe('lamps are off')
  expect(await ask('acme', 'lamps')).toBe('lamps are warm')
  expect(counts).toMatchObject({ searches: 2, answers: 2 })
  await expect(ask('', 'lamps')).rejects.toThrow('scope.tenant must be a non-empty string')
})

it('the words come again as they came', async () => {
  const { counts, graph } = open()
  const words = async () => {
    const heard: unknown[] = []
    const run = { configurable: { tenant: 'acme' }, streamMode: 'custom' as const }
    for await (const word of await graph.stream({ question: 'lamps' }, run)) heard.push(word)
    return heard
  }
  expect(await words()).toEqual(['lamps ', 'are ', 'warm'])
  expect(await words()).toEqual(['lamps ', 'are ', 'warm'])
  expect(counts.answers).toBe(1)
})

it('a changed document ends what was answered with it, and nothing else', async () => {
  const { shelves, counts, cache, ask } = open()
  await ask('acme', 'lamps')
  await ask('acme', 'chairs')
  shelves['acme']![0] = { id: '1', text: 'lamps are hot' }
  await cache.invalidateTags([tagOf('1')])
  expect(await ask('acme', 'lamps')).toBe('lamps are hot')
  expect(await ask('acme', 'chairs')).toBe('chairs are hard')
  expect(counts).toMatchObject({ searches: 3, answers: 3 })
})

it('while the search is away what it found stands in, and its failure is not kept', async () => {
  const { counts, clock, ask } = open()
  await ask('acme', 'lamps')
  counts.down = true
  await clock.advance(2 * 60 * 60_000)
  expect(await ask('acme', 'lamps')).toBe('lamps are warm')
  await expect(ask('acme', 'chairs')).rejects.toThrow('the search is away')
  counts.down = false
  expect(await ask('acme', 'chairs')).toBe('chairs are hard')
})
