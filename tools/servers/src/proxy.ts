import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { connectionOf, type OwnedConnection, type ProxyConnection } from './proxy-connection.js'

/** Stands before a server and does to its connections what networks do. */
export interface Proxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly url: string
  /** The connections that are open, in the order they came. */
  readonly connections: readonly ProxyConnection[]
  /** Nothing passes on any connection, also a new one, and none ends, until `heal`. */
  blackhole(): void
  /** Holds back what comes from either side by so many milliseconds; what comes from the server by `toClient`, if given. */
  delay(ms: number, toClient?: number): void
  /** Ends every connection; new ones pass. */
  cut(): void
  /** Ends every connection for its client. What was said before still reaches the server, after its delay. */
  hangUp(): void
  /** Takes no new connection: whoever tries is refused. Those that are open go on. */
  refuse(): void
  /** All is well again, on the same port: no delay, and what a black hole held back passes. */
  heal(): void
  /** Ends everything. Resolves once no socket is left. */
  close(): Promise<void>
}

/** Where a proxy leads. */
export interface ProxyTarget {
  /** Default: `'127.0.0.1'`. */
  readonly host?: string
  readonly port: number
}

const host = '127.0.0.1'

/** Starts one on a free loopback port, before a server or before what listens on that port of this machine. */
export async function startProxy(target: ProxyTarget | number): Promise<Proxy> {
  const to = typeof target === 'number' ? { host, port: target } : { host, ...target }
  const open = new Set<OwnedConnection>()
  let held = false
  let [delayToServer, delayToClient] = [0, 0]
  let refusing = false
  let starting = false

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const far = connect({ host: to.host, port: to.port, allowHalfOpen: true })
    const connection = connectionOf(client, far, {
      held,
      delayToServer: () => delayToServer,
      delayToClient: () => delayToClient,
    })
    open.add(connection)
    void connection.closed.then(() => open.delete(connection))
  })
  /** Listens or does not, as is wanted now. It takes a while to listen, in which that may change. */
  function settle(): void {
    if (refusing && server.listening) {
      starting = false
      server.close()
    } else if (!refusing && !server.listening && !starting) {
      starting = true
      server.listen(port, host)
    }
  }
  await once(server.listen(0, host), 'listening')
  const { port } = server.address() as AddressInfo
  server.on('listening', () => {
    starting = false
    settle()
  })

  const cut = (): void => {
    for (const connection of open) connection.cut()
  }
  async function close(): Promise<void> {
    refusing = true
    settle()
    if (starting) await once(server, 'listening')
    cut()
    await Promise.all([...open].map(({ closed }) => closed))
  }
  return {
    host,
    port,
    url: `redis://${host}:${port}`,
    get connections() {
      return [...open]
    },
    blackhole() {
      held = true
      for (const connection of open) connection.blackhole()
    },
    delay(ms, toClient = ms) {
      ;[delayToServer, delayToClient] = [ms, toClient]
    },
    cut,
    hangUp() {
      for (const connection of open) connection.hangUp()
    },
    refuse() {
      refusing = true
      settle()
    },
    heal() {
      held = false
      ;[delayToServer, delayToClient] = [0, 0]
      refusing = false
      settle()
      for (const connection of open) connection.heal()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
