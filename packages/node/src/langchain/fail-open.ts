/** Is told of failures of the cache, which are not the caller's. */
type OnError<During> = ((error: unknown, during: During) => void) | undefined

/** What `act` resolves to. If it fails, `onError` is told, and the caller goes on without a cache: `undefined`. */
export async function failOpen<During, V>(
  onError: OnError<During>,
  during: During,
  act: () => Promise<V>,
): Promise<V | undefined> {
  try {
    return await act()
  } catch (error) {
    try {
      onError?.(error, during)
    } catch {
      // A listener that fails has nobody left to tell.
    }
    return undefined
  }
}
