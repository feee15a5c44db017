import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { chunksOf, finishOf, type Scripted, textOf, usageOf } from './script.js'

const callsOf = ({ toolCalls }: Scripted): unknown[] =>
  (toolCalls ?? []).map(({ id, name, args }, index) => ({
    index,
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }))

const header = (body: Record<string, unknown>, index: number, object: string): Record<string, unknown> => ({
  id: `chatcmpl-${index}`,
  object,
  created: 1_700_000_000 + index,
  model: body['model'],
})

/** A whole chat completion in one body. */
export function sendChat(
  response: ServerResponse,
  body: Record<string, unknown>,
  scripted: Scripted,
  index: number,
): void {
  const tools = scripted.toolCalls !== undefined
  const text = JSON.stringify({
    ...header(body, index, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: tools ? null : textOf(scripted, index),
          ...(tools && { tool_calls: callsOf(scripted) }),
        },
        finish_reason: finishOf(scripted),
      },
    ],
    usage: usageOf(scripted),
  })
  response.setHeader('content-type', 'application/json')
  if (scripted.cutAfter !== undefined) {
    response.setHeader('content-length', text.length)
    response.write(text.slice(0, text.length >> 1), () => response.destroy())
    return
  }
  response.end(text)
}

/** The same as a stream of server-sent events. */
export async function streamChat(
  response: ServerResponse,
  body: Record<string, unknown>,
  scripted: Scripted,
  index: number,
): Promise<void> {
  response.setHeader('content-type', 'text/event-stream')
  response.flushHeaders()
  const send = (data: unknown): void => void response.write(`data: ${JSON.stringify(data)}\n\n`)
  const part = (delta: unknown, finish: string | null): void =>
    send({
      ...header(body, index, 'chat.completion.chunk'),
      choices: [{ index: 0, delta, finish_reason: finish }],
    })
  const deltas =
    scripted.toolCalls === undefined
      ? chunksOf(scripted, index).map((content) => ({ content }))
      : [{ tool_calls: callsOf(scripted) }]
  part({ role: 'assistant', content: '' }, null)
  for (const [at, delta] of deltas.entries()) {
    if (at === scripted.cutAfter) return void response.destroy()
    if (at === scripted.errorAfter) send({ error: { message: 'the model broke off', type: 'server_error' } })
    await scripted.beforeChunk?.(at)
    if (scripted.delayMs !== undefined) await wait(scripted.delayMs)
    if (response.destroyed) return
    part(delta, null)
  }
  const finish = finishOf(scripted)
  if (finish !== null) part({}, finish)
  send({ ...header(body, index, 'chat.completion.chunk'), choices: [], usage: usageOf(scripted) })
  response.end('data: [DONE]\n\n')
}
