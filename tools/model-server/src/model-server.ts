import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sendChat, streamChat } from './chat.js'
import type { Script, Scripted } from './script.js'

/** One request that came in. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
  /** Resolves to whether the client left before the answer had ended. */
  readonly aborted: Promise<boolean>
}

/** A server that is running. */
export interface ModelServer extends AsyncDisposable {
  /** What clients take as base URL: `http://127.0.0.1:<port>/v1`. */
  readonly url: string
  /** Every request so far, the oldest first: their number is the proof of what a cache saved. */
  readonly requests: readonly Received[]
  /** What is done with the next request, and the ones after it: as many as scripts are given, in turn. */
  next(...scripts: Scripted[]): void
  /** What is done with requests for which `next` has said nothing. Default: `answer <n>`. */
  always(script: Script): void
  /** Forgets requests and scripts. */
  reset(): void
  close(): Promise<void>
}

/**
 * Starts an HTTP server on a free loopback port that speaks the OpenAI protocol: `chat/completions`, whole and
 * streamed, and `embeddings`, whose vectors are made of the text alone.
 */
export async function startModelServer(): Promise<ModelServer> {
  const requests: Received[] = []
  const queue: Scripted[] = []
  let usual: Script = {}
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request)
      const index = requests.length + 1
      const aborted = new Promise<boolean>((resolve) =>
        response.once('close', () => resolve(!response.writableFinished)),
      )
      requests.push({ path: request.url ?? '', headers: request.headers, body, aborted })
      const scripted = queue.shift() ?? (typeof usual === 'function' ? usual(body, index) : usual)
      await scripted.before
      if (scripted.error !== undefined) {
        response.statusCode = scripted.error.status
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ error: { message: scripted.error.message, type: 'scripted' } }))
      } else if (request.url?.endsWith('/embeddings') === true) {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(embeddingsOf(body)))
      } else if (body['stream'] === true) await streamChat(response, body, scripted, index)
      else sendChat(response, body, scripted, index)
    })().catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    next: (...scripts) => void queue.push(...scripts),
    always: (script) => void (usual = script),
    reset() {
      requests.length = 0
      queue.length = 0
      usual = {}
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece as string
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

function embeddingsOf(body: Record<string, unknown>): unknown {
  const input = body['input']
  const texts = (Array.isArray(input) ? input : [input]) as string[]
  return {
    object: 'list',
    model: body['model'],
    data: texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })),
    usage: { prompt_tokens: texts.length, total_tokens: texts.length },
  }
}

/** Length, first and last character: enough to tell texts apart. */
const vectorOf = (text: string): number[] => [
  text.length,
  text.charCodeAt(0) || 0,
  text.charCodeAt(text.length - 1) || 0,
]
