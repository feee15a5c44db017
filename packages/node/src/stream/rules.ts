/** What of a stream is stored, and whether it is. */
export interface StreamRules {
  /** Whether a chunk is stored; what is not is still given to those who read along. */
  keep(chunk: unknown): boolean
  /** Whether what was seen, in order and as far as it was kept, is a whole answer. Otherwise nothing is stored. */
  isWhole(chunks: readonly unknown[]): boolean
}

const typeOf = (chunk: unknown): unknown =>
  typeof chunk === 'object' && chunk !== null ? (chunk as { type?: unknown }).type : undefined

/** Chunks of any kind: a clean end is a whole answer, unless there was a chunk of the type `error`. */
export const plainRules: StreamRules = Object.freeze({
  keep: () => true,
  isWhole: (chunks: readonly unknown[]) => !chunks.some((chunk) => typeOf(chunk) === 'error'),
})

/**
 * The parts of a model's answer: whole if it ends with a part of the type `finish` whose reason is allowed, and had no
 * `error` part. `ping` and `raw` parts are not kept.
 */
export function modelRules({ finish = ['stop'] }: { readonly finish?: readonly string[] } = {}): StreamRules {
  return {
    keep: (chunk) => !['ping', 'raw'].includes(typeOf(chunk) as string),
    isWhole(chunks) {
      if (!plainRules.isWhole(chunks)) return false
      const end = chunks.findLast((chunk) => typeOf(chunk) === 'finish') as
        { readonly finishReason?: unknown } | undefined
      const reason = end?.finishReason
      const name =
        typeof reason === 'object' && reason !== null ? (reason as { unified?: unknown }).unified : reason
      return typeof name === 'string' && finish.includes(name)
    },
  }
}
