import { type Clock, type Keys, matchGlob } from '@flow-cache/core'

/** How many keys are looked at before the event loop has its turn. */
const slice = 500

/** Lists the keys that are there in the order they came, whatever comes, goes or is used meanwhile. */
export function scanOf(
  keys: ReadonlyMap<string, unknown>,
  isThere: (key: string) => boolean,
  clock: Clock,
): Keys['scan'] {
  return async function* scan(prefix, glob) {
    let batch: string[] = []
    let looked = 0
    for (const key of keys.keys()) {
      if (looked++ === slice) {
        looked = 1
        if (batch.length > 0) yield batch
        batch = []
        await turn(clock)
      }
      if (!key.startsWith(prefix) || (glob !== undefined && !matchGlob(glob, key.slice(prefix.length))))
        continue
      if (isThere(key)) batch.push(key)
    }
    if (batch.length > 0) yield batch
  }
}

/** Resolves after what else waits in the event loop. A message, not a timer: no time has to pass. */
function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (typeof MessageChannel === 'undefined') {
      clock.setTimer(resolve, 0, true)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(undefined)
  })
}
