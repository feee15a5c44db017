import { afterAll, expect, it } from 'vitest'
import { startModelServer } from '@flow-cache/model-server'

const server = await startModelServer()
afterAll(async () => server.close())

const ask = async (body: unknown): Promise<Response> =>
  fetch(`${server.url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) })

it('answers as scripted, counts, and cuts', async () => {
  server.next(
    { text: 'one two' },
    { error: { status: 429, message: 'slow down' } },
    { text: 'a b c', cutAfter: 1 },
  )
  const first = (await (await ask({ model: 'm' })).json()) as { choices: { message: { content: string } }[] }
  expect(first.choices[0]?.message.content).toBe('one two')
  expect((await ask({ model: 'm' })).status).toBe(429)
  await expect((await ask({ model: 'm', stream: true })).text()).rejects.toThrow('terminated')
  const stream = await (await ask({ model: 'm', stream: true })).text()
  expect(stream).toContain('"content":"answer "')
  expect(stream.endsWith('data: [DONE]\n\n')).toBe(true)
  expect(server.requests).toHaveLength(4)
  expect(await Promise.all(server.requests.map(async ({ aborted }) => aborted))).toEqual([
    false,
    false,
    true,
    false,
  ])
})
