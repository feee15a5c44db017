import type { Socket } from 'node:net'
import { laneOf } from './proxy-lane.js'

/** What passes between one client and the server. */
export interface ProxyConnection {
  /** The port that the server sees it come from, as in `CLIENT LIST`; `undefined` until it is connected. */
  readonly port: number | undefined
  readonly bytesToServer: number
  readonly bytesToClient: number
  /** Nothing passes any more, either way, and nobody is told: a cable that was pulled. */
  blackhole(): void
  /** What a black hole held back passes, and what comes after it. */
  heal(): void
  /** Ends it for both. */
  cut(): void
  /** Ends it for the client. What that had said is still on its way, and the server learns of the end after it. */
  hangUp(): void
}

/** One that its proxy can wait for. */
export interface OwnedConnection extends ProxyConnection {
  /** Resolves once neither side has a socket any more. */
  readonly closed: Promise<void>
}

export interface ProxyConnectionOptions {
  /** Whether it begins in a black hole. */
  readonly held: boolean
  /** By how many milliseconds what comes now from the client is held back. */
  delayToServer(): number
  /** The same for what comes from the server. */
  delayToClient(): number
}

/** Ties the client's socket to the server's. Both must allow to be half open, so that neither end is made up. */
export function connectionOf(
  client: Socket,
  server: Socket,
  { held, delayToServer, delayToClient }: ProxyConnectionOptions,
): OwnedConnection {
  const isHeld = (): boolean => held
  const lanes = [
    laneOf(client, server, { held: isHeld, delay: delayToServer }),
    laneOf(server, client, { held: isHeld, delay: delayToClient }),
  ] as const
  let port: number | undefined
  server.once('connect', () => (port = server.localPort))
  return {
    get port() {
      return port
    },
    get bytesToServer() {
      return lanes[0].passed
    },
    get bytesToClient() {
      return lanes[1].passed
    },
    blackhole() {
      held = true
    },
    heal() {
      held = false
      for (const lane of lanes) lane.flush()
    },
    cut() {
      for (const lane of lanes) lane.drop()
      client.destroy()
      server.destroy()
    },
    hangUp() {
      lanes[1].drop()
      lanes[0].end()
      client.destroy()
    },
    closed: Promise.all([closeOf(client), closeOf(server)]).then(() => {
      for (const lane of lanes) lane.drop()
    }),
  }
}

async function closeOf(socket: Socket): Promise<void> {
  // `once` would reject at an error, after which a close comes too.
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}
