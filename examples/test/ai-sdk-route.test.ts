import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { gate } from '@flow-cache/core/testing'
import { InMemoryCache } from '@flow-cache/memory'
import { startModelServer } from '@flow-cache/model-server'
import { expect, it, onTestFinished, vi } from 'vitest'
import { askRoute } from '../src/ai-sdk-route.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

async function open() {
  const server = await startModelServer()
  const cache = new InMemoryCache()
  onTestFinished(async () => {
    await cache.close()
    await server.close()
  })
  const provider = createOpenAICompatible({ name: 'house', baseURL: server.url, includeUsage: true })
  const route = askRoute(provider('small'), cache, (request) => request.headers.get('tenant') ?? undefined)
  const ask = async (tenant: string, question = 'Why?', signal?: AbortSignal) =>
    route(
      new Request('http://site.example/ask', {
        method: 'POST',
        headers: { tenant },
        body: JSON.stringify({ question }),
        ...(signal && { signal }),
      }),
    )
  const read = async (...args: Parameters<typeof ask>) => (await ask(...args)).text()
  return { server, route, ask, read }
}

it('those who ask at once read one stream, those who come later the same again, and it is paid for once', async () => {
  const { server, route, ask, read } = await open()
  const half = gate()
  server.next({
    text: 'Because it is so.',
    usage: { input: 20, output: 4 },
    beforeChunk: (n) => (n === 2 ? half.wait() : undefined),
  })
  const stream = (await ask('acme')).body!.pipeThrough(new TextDecoderStream()).getReader()
  // The model is not done, and the first words are here.
  expect((await stream.read()).value).toBe('Because ')
  await half.arrived
  const others = Promise.all(Array.from({ length: 19 }, () => read('acme')))
  half.open()
  expect(new Set(await others)).toEqual(new Set(['Because it is so.']))
  let rest = ''
  for (let part = await stream.read(); !part.done; part = await stream.read()) rest += part.value
  expect(rest).toBe('it is so.')

  expect(await read('acme')).toBe('Because it is so.')
  expect(server.requests).toHaveLength(1)
  expect(route.tokens()).toEqual({ spent: 24, saved: 20 * 24 })
})

it('another tenant, another question: another request; without a tenant none', async () => {
  const { server, ask, read } = await open()
  expect(await read('acme')).toBe('answer 1')
  expect(await read('zen')).toBe('answer 2')
  expect(await read('acme', 'Why not?')).toBe('answer 3')
  expect(await read('zen')).toBe('answer 2')
  expect((await ask('')).status).toBe(401)
  expect(server.requests).toHaveLength(3)
  expect(JSON.stringify(server.requests.map(({ body }) => body))).not.toContain('acme')
})

it('when the first reader leaves the others read on, and when the last one has left the model is told', async () => {
  const { server, ask, read } = await open()
  const half = gate()
  const beforeChunk = (n: number) => (n === 1 ? half.wait() : undefined)
  server.next(
    { text: 'Because it is so.', beforeChunk },
    { text: 'Never ends.', beforeChunk: () => gate().wait() },
  )
  const leaver = new AbortController()
  const answers = [await ask('acme', 'Why?', leaver.signal), await ask('acme')]
  const [first, other] = answers.map(({ body }) => body!.pipeThrough(new TextDecoderStream()).getReader())
  expect([await first!.read(), await other!.read()]).toMatchObject([
    { value: 'Because ' },
    { value: 'Because ' },
  ])
  leaver.abort()
  half.open()
  let rest = ''
  for (let part = await other!.read(); !part.done; part = await other!.read()) rest += part.value
  expect(rest).toBe('it is so.')
  expect(await read('acme')).toBe('Because it is so.')
  expect(server.requests).toHaveLength(1)

  const last = new AbortController()
  const left = ask('acme', 'How long?', last.signal).then((answer) => answer.text())
  left.catch(() => {})
  await expect.poll(() => server.requests.length, { timeout: 30_000 }).toBe(2)
  last.abort()
  expect(await server.requests[1]!.aborted).toBe(true)
})

it('an answer that broke off is not kept', async () => {
  const { server, read } = await open()
  server.next({ text: 'Because it is so.', cutAfter: 2 }, { text: 'Because it is so.' })
  await read('acme').catch(() => {})
  expect(await read('acme')).toBe('Because it is so.')
  expect(await read('acme')).toBe('Because it is so.')
  expect(server.requests).toHaveLength(2)
})
