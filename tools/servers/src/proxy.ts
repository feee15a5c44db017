import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What passes between one client and the server. */
export interface Passage {
  /** Nothing passes any more, either way, and nobody is told: a cable that was pulled. */
  blackhole(): void
  /** Ends it for both. */
  cut(): void
}

/** Stands before a server on a loopback port and does to its connections what networks do. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** The connections that are open, in the order they came. */
  readonly passages: readonly Passage[]
  /** Nothing passes on any connection, also a new one, until `heal`. */
  blackhole(): void
  /** Holds back what comes from either side by so many milliseconds. */
  delay(ms: number): void
  /** Ends every connection; new ones pass. */
  cut(): void
  /** All is well again: what a black hole held back passes. */
  heal(): void
  close(): Promise<void>
}

interface Pair extends Passage {
  readonly sockets: readonly [Socket, Socket]
  held: boolean
  release(): void
}

/** Starts one before the server on `port`. */
export async function startProxy(port: number): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let held = false
  let pause = 0

  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1' })
    const pair = pairOf(near, far)
    pair.held = held
    pairs.add(pair)
    near.once('close', () => pairs.delete(pair))
  })

  function pairOf(near: Socket, far: Socket): Pair {
    /** What waits to be written, in order: each with the instant before which it may not pass. */
    const waiting: { readonly at: number; readonly pass: () => void }[] = []
    let timer: NodeJS.Timeout | undefined
    const flush = (): void => {
      clearTimeout(timer)
      while (!pair.held && waiting.length > 0) {
        const left = waiting[0]!.at - performance.now()
        if (left > 0) {
          timer = setTimeout(flush, left)
          return
        }
        waiting.shift()!.pass()
      }
    }
    const pass = (act: () => void): void => {
      waiting.push({ at: performance.now() + pause, pass: act })
      flush()
    }
    const end = (): void => {
      clearTimeout(timer)
      near.destroy()
      far.destroy()
    }
    const pair: Pair = {
      sockets: [near, far],
      held: false,
      blackhole: () => (pair.held = true),
      release() {
        pair.held = false
        flush()
      },
      cut: end,
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true)
      from.on('data', (bytes) => pass(() => to.write(bytes)))
      // Behind a black hole not even the end is heard.
      from.on('end', () => pass(() => to.end()))
      from.on('error', () => {})
      from.on('close', () => pass(end))
    }
    return pair
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    for (const pair of pairs) pair.cut()
    server.close()
    await once(server, 'close')
  }
  return {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    get passages() {
      return [...pairs]
    },
    blackhole() {
      held = true
      for (const pair of pairs) pair.blackhole()
    },
    delay(ms) {
      pause = ms
    },
    cut() {
      for (const pair of pairs) pair.cut()
    },
    heal() {
      held = false
      pause = 0
      for (const pair of pairs) pair.release()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
