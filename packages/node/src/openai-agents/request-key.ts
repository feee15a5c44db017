/**
 * Fields of a request that say how it is made, not what is asked. All others are in the key, those to come as well.
 * `_internal`, which no type declares, carries the runner's tracing.
 */
export const transportFields: readonly string[] = Object.freeze(['signal', 'tracing', '_internal'])

/** What of a request makes its key. Of the model's settings, `retry` is left out: it is how the request is made. */
export function keyOfRequest(request: object): unknown {
  const asked = Object.fromEntries(
    Object.entries(request).filter(([name]) => !transportFields.includes(name)),
  )
  const { retry: _, ...modelSettings } = (asked['modelSettings'] ?? {}) as Record<string, unknown>
  return { ...asked, modelSettings }
}
