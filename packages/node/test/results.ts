import type { CacheInfo, NodeResult } from '@flow-cache/node'

/** How an answer was come by. */
export const info = (result: NodeResult): CacheInfo => result.metadata?.['cache'] as CacheInfo

/** The output, or the failure as an error. */
export const output = <O>(result: NodeResult<O>): O => {
  if (!result.success) throw new Error(result.error.message, { cause: result.error.cause })
  return result.output
}

/** All chunks of a stream. */
export const all = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const chunks: T[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}
