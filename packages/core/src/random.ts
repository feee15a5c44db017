/** Uniform in [0, 1). Tests give a seeded one. */
export type Random = () => number

/** The platform's. */
export const systemRandom: Random = () => Math.random()

/** 64 random bits, drawn when they are first needed: edge workers have none at import. */
let ours: string | undefined
let count = 0

/** An identifier of at most 24 characters: no two calls, no two processes and no two runs of one make the same. */
export function randomId(): string {
  ours ??= [...crypto.getRandomValues(new Uint32Array(2))]
    .map((word) => word.toString(36).padStart(7, '0'))
    .join('')
  return ours + (count++).toString(36)
}
