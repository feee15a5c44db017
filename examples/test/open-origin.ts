import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A service on loopback that counts what it is asked. */
export interface Origin extends AsyncDisposable {
  readonly url: string
  /** The paths it was asked for, the oldest first: their number is the proof of what a cache saved. */
  readonly asked: readonly string[]
  /** Fails every request. */
  down: boolean
}

/** Starts it on a free port, with `answer` for each request. */
export async function openOrigin(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<Origin> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    if (origin.down) response.writeHead(503).end()
    else void answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin: Origin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    down: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return origin
}
