import { NodeCacheError } from '../errors.js'

/** How a stream is handed out: as what the node answered with. */
export type StreamKind = 'iterable' | 'readable'

/** Whether the output is a stream, and of which kind; a stream that cannot be recorded is `ERR_STREAM`. */
export function kindOf(output: unknown): StreamKind | undefined {
  if (typeof output !== 'object' || output === null) return undefined
  const like = output as {
    getReader?: unknown
    pipe?: unknown
    next?: unknown
    [Symbol.asyncIterator]?: unknown
  }
  if (typeof like.getReader === 'function') return 'readable'
  if (typeof like[Symbol.asyncIterator] === 'function') return 'iterable'
  if (typeof like.pipe === 'function' || typeof like.next === 'function') {
    throw new NodeCacheError(
      'ERR_STREAM',
      'the output is a stream of a kind that cannot be recorded; answer with an AsyncIterable or a ReadableStream',
    )
  }
  return undefined
}

/** What is being read: a chunk at a time, until somebody stops it. */
export interface Source {
  next(): Promise<IteratorResult<unknown, unknown>>
  stop(reason?: unknown): Promise<void>
}

/** The chunks of a stream of either kind. */
export function sourceOf(stream: unknown, kind: StreamKind): Source {
  if (kind === 'readable') {
    const reader = (stream as ReadableStream<unknown>).getReader()
    return {
      next: async () => reader.read(),
      stop: async (reason) => reader.cancel(reason),
    }
  }
  const iterator = (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  return {
    next: async () => iterator.next(),
    stop: async () => void (await iterator.return?.()),
  }
}

/** A stream of the wanted kind over a source. One consumer reads it, once. */
export function streamOf(source: Source, kind: StreamKind): AsyncIterable<unknown> | ReadableStream<unknown> {
  if (kind === 'readable') {
    return new ReadableStream<unknown>(
      {
        async pull(controller) {
          const { done, value } = await source.next()
          if (done === true) controller.close()
          else controller.enqueue(value)
        },
        cancel: async (reason) => source.stop(reason),
      },
      { highWaterMark: 0 },
    )
  }
  let ended = false
  const iterator: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      if (ended) return { done: true, value: undefined }
      try {
        const result = await source.next()
        if (result.done === true) ended = true
        return result as IteratorResult<unknown, undefined>
      } catch (error) {
        ended = true
        throw error
      }
    },
    async return() {
      if (!ended) {
        ended = true
        await source.stop()
      }
      return { done: true, value: undefined }
    },
  }
  return iterator
}
