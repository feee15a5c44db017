import { connect, type NetConnectOpts } from 'node:net'

/** Whether a Redis server answers there, be it only that it wants a password. */
export function ping(at: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...at, timeout: 1000 }, () => socket.write('PING\r\n'))
    const done = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket
      .once('data', (data) => done(/^(\+PONG|-NOAUTH|-DENIED)/.test(data.toString())))
      .once('timeout', () => done(false))
      .once('error', () => done(false))
      .once('close', () => done(false))
  })
}
