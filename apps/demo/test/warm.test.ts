import { InMemoryCache } from '@flow-cache/memory'
import { expect, it } from 'vitest'
import { Desk } from '../src/desk.js'
import { warmDesk } from '../src/warm.js'
import { handbook } from './handbook.js'

it('answers sample questions ahead, once, and tells how far it is', async () => {
  await using cache = new InMemoryCache({ ttl: '1d' })
  const desk = new Desk({ cache, dir: handbook })
  const told: string[] = []
  const how = {
    tenant: 'acme',
    signal: new AbortController().signal,
    onProgress: ({ done, total }: { done: number; total: number | undefined }) =>
      told.push(`${done}/${total}`),
  }
  expect(await warmDesk(cache, desk, how)).toMatchObject({ loaded: 4, failed: 0, aborted: false })
  expect(told.at(-1)).toBe('4/4')
  const { steps } = await desk.ask('What is ferry about?', { tenant: 'acme' })
  expect(steps.filter(({ from }) => from === 'cache').map(({ name }) => name)).toEqual([
    'question',
    'chunk',
    'index',
    'brief',
  ])
  expect(await warmDesk(cache, desk, how)).toMatchObject({ loaded: 0, skipped: 4 })
})

it('stops when it is told to', async () => {
  await using cache = new InMemoryCache({ ttl: '1d' })
  const desk = new Desk({ cache, dir: handbook })
  const stop = new AbortController()
  const how = { tenant: 'acme', signal: stop.signal, onProgress: () => stop.abort() }
  expect(await warmDesk(cache, desk, how)).toMatchObject({ aborted: true })
})
