/** Call options that say how a call is made, not what is asked. All others are in the key, those to come as well. */
export const transportFields: readonly string[] = Object.freeze([
  'abortSignal',
  'headers',
  'includeRawChunks',
])

/** What of a call's options makes its key: all but the transport, and the headers that were asked for. */
export function keyOfCall(params: object, includeHeaders: readonly string[] = []): unknown {
  const asked = Object.entries(params).filter(([name]) => !transportFields.includes(name))
  const { headers = {} } = params as { headers?: Readonly<Record<string, string | undefined>> }
  const wanted = new Set(includeHeaders.map((name) => name.toLowerCase()))
  const chosen = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => wanted.has(name))
  return { call: Object.fromEntries(asked), headers: Object.fromEntries(chosen) }
}
