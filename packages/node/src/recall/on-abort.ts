const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when the signal aborts; the answer stops that. One listener a signal, however many callbacks: a signal
 * is given to many calls at once, and platforms warn of a dozen listeners.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = waiting.get(signal)
  if (callbacks === undefined) {
    const all = new Set<() => void>()
    signal.addEventListener('abort', () => {
      for (const each of all) each()
    })
    waiting.set(signal, (callbacks = all))
  }
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}
