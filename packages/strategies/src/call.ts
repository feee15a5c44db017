/** Options of one call of a strategy. */
export interface CallOptions {
  /**
   * Ends this caller's wait with the signal's reason. A load goes on while anybody else waits for it; a write that the
   * origin has begun is handed the signal and is for the origin to end.
   */
  readonly signal?: AbortSignal | undefined
}

/** What an origin is told: the signal, where there is one. */
export function originCall({ signal }: CallOptions = {}): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
