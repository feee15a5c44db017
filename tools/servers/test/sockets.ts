import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A server of the test's own, and the sockets it has been given. */
export async function serverOf(
  serve: (socket: Socket) => void,
): Promise<{ port: number; sockets: Socket[]; server: Server }> {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets, server }
}

/** Says back what it is told. */
export const echo = (): ReturnType<typeof serverOf> => serverOf((socket) => void socket.pipe(socket))

/** A client that is connected, and what it has heard. */
export interface Client {
  readonly socket: Socket
  /** What it has been told so far. */
  readonly heard: string
  /** `'end'` once the other side has ended, `'close'` once nothing is left. */
  readonly state: 'open' | 'end' | 'close'
  /** Resolves with the bytes once so many have been heard. */
  hears(text: string): Promise<void>
}

/** Connects, or rejects with what stands in the way. */
export async function clientOf(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  let heard = ''
  let state: Client['state'] = 'open'
  const client = {
    socket,
    get heard() {
      return heard
    },
    get state() {
      return state
    },
    async hears(text: string) {
      while (!heard.includes(text)) await once(socket, 'data')
    },
  }
  socket.on('data', (bytes) => (heard += bytes.toString()))
  socket.on('end', () => (state = 'end'))
  socket.on('error', () => {})
  socket.on('close', () => (state = 'close'))
  return client
}
