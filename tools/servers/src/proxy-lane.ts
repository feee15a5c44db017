import type { Socket } from 'node:net'

/** One way through a proxy: what one side said and the other has yet to hear, in order. */
export interface Lane {
  /** How many bytes have passed. */
  readonly passed: number
  /** Passes what may pass now. */
  flush(): void
  /** Says, after what waits, that nothing more will come. */
  end(): void
  /** Forgets what waits. */
  drop(): void
}

/** When what comes may pass. */
export interface LaneRules {
  held(): boolean
  /** In milliseconds. */
  delay(): number
}

interface Waiting {
  readonly at: number
  readonly size: number
  readonly pass: () => void
}

/** With more than this waiting, the speaker is no longer read and notices a network that is slow. */
const window = 4 * 1024 * 1024

/** The lane from one socket to another. */
export function laneOf(from: Socket, to: Socket, { held, delay }: LaneRules): Lane {
  const waiting: Waiting[] = []
  let size = 0
  let passed = 0
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    while (!held() && !to.writableNeedDrain && waiting.length > 0) {
      const left = waiting[0]!.at - performance.now()
      if (left > 0) {
        timer = setTimeout(flush, left)
        break
      }
      const next = waiting.shift()!
      size -= next.size
      if (to.destroyed) continue
      passed += next.size
      next.pass()
    }
    if (size > window) from.pause()
    else if (from.isPaused()) from.resume()
  }
  function enter(pass: () => void, bytes = 0): void {
    waiting.push({ at: performance.now() + delay(), size: bytes, pass })
    size += bytes
    flush()
  }

  from.setNoDelay(true)
  from.on('data', (bytes) => enter(() => to.write(bytes), bytes.length))
  const end = (): void => enter(() => to.end())
  from.on('end', end)
  from.on('error', () => {})
  // Without an error it has ended both ways, and each lane has said so in its turn.
  from.on('close', (failed) => failed && enter(() => to.resetAndDestroy()))
  to.on('drain', flush)
  return {
    get passed() {
      return passed
    },
    flush,
    end,
    drop() {
      clearTimeout(timer)
      waiting.length = 0
      size = 0
    },
  }
}
