/** A body that was read whole, or one that turned out too long and can still be read from its beginning. */
export type Read = { readonly whole: Uint8Array | null } | { readonly tooLong: ReadableStream<Uint8Array> }

/** Reads a body as far as `most` bytes. When the signal aborts, it ends the body and throws the signal's reason. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  most: number,
  signal: AbortSignal,
): Promise<Read> {
  if (body === null) return { whole: null }
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  const end = (): void => void reader.cancel(signal.reason).catch(() => {})
  signal.addEventListener('abort', end)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      // One that was ended looks like one that is complete.
      signal.throwIfAborted()
      if (done) return { whole: joined(chunks, length) }
      chunks.push(value)
      length += value.byteLength
      if (length > most) return { tooLong: resumed(chunks, reader) }
    }
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Ends a body that nobody reads. */
export function endBody({ body }: Response, reason?: unknown): void {
  void body?.cancel(reason).catch(() => {})
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

/** What was read already, and then the rest, at the pace of whoever reads it. */
function resumed(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const first = chunks.shift()
        if (first !== undefined) return controller.enqueue(first)
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing ahead of the reader.
    { highWaterMark: 0 },
  )
}
