import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the server answers the next requests. */
export interface Answering {
  text?: string
  finish?: string
  /** Calls the tool `weather` in place of answering. */
  tool?: boolean
  /** An HTTP status other than 200, with an error. */
  status?: number
  /** Ends the stream after this many words, without an end. */
  cutAfter?: number
  /** Held open until it resolves. */
  door?: PromiseLike<unknown>
}

/** A server on this machine that speaks OpenAI's chat completions, JSON and SSE. Its count of requests is the proof. */
export async function chatServer(): Promise<{
  readonly url: string
  readonly requests: { readonly body: Record<string, unknown> }[]
  answering: Answering
  [Symbol.asyncDispose](): Promise<void>
}> {
  const requests: { body: Record<string, unknown> }[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request)
      requests.push({ body })
      const { text = `answer ${requests.length}`, tool, status = 200, cutAfter, door } = state.answering
      await door
      if (status !== 200) {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ error: { message: `failed with ${status}`, type: 'server_error' } }))
        return
      }
      const finish = state.answering.finish ?? (tool === true ? 'tool_calls' : 'stop')
      const call = {
        id: `call-${requests.length}`,
        type: 'function',
        function: { name: 'weather', arguments: '{"city":"Oslo"}' },
      }
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
      const head = { id: `chat-${requests.length}`, created: 1, model: body['model'] }
      if (body['stream'] !== true) {
        const message =
          tool === true
            ? { role: 'assistant', content: null, tool_calls: [call] }
            : { role: 'assistant', content: text }
        response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'SECRET-HEADER' })
        const choices = [{ index: 0, message, finish_reason: finish }]
        response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }))
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const send = (delta: object, reason: string | null = null): void => {
        const choices = [{ index: 0, delta, finish_reason: reason }]
        response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices })}\n\n`)
      }
      send({ role: 'assistant', content: '' })
      if (tool === true) send({ tool_calls: [{ index: 0, ...call }] })
      else {
        const words = text.split(/(?= )/)
        for (const [i, word] of words.entries()) {
          if (i === cutAfter) {
            response.destroy()
            return
          }
          send({ content: word })
        }
      }
      send({}, finish)
      const last = { ...head, object: 'chat.completion.chunk', choices: [], usage }
      response.write(`data: ${JSON.stringify(last)}\n\n`)
      response.end('data: [DONE]\n\n')
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const state = {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    answering: {} as Answering,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return state
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>
}
