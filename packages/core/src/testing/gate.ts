import { deferred } from '../deferred.js'

/** A place where a loader waits until the test lets it go on. */
export interface Gate {
  /** Waits until the gate is open. */
  wait(): Promise<void>
  /** Opens the gate, for those who wait and those who come. */
  open(): void
  /** Resolves when somebody waits. */
  readonly arrived: Promise<void>
}

/** A closed gate. */
export function gate(): Gate {
  const opening = deferred<void>()
  const arriving = deferred<void>()
  return {
    wait() {
      arriving.resolve()
      return opening.promise
    },
    open: () => opening.resolve(),
    arrived: arriving.promise,
  }
}
