/** Uniform in [0, 1). Tests give a seeded one. */
export type Random = () => number

/** The platform's. */
export const systemRandom: Random = () => Math.random()

/** An identifier of 96 random bits: no two processes, and no two runs of one, make the same. */
export function randomId(): string {
  let id = ''
  for (const word of crypto.getRandomValues(new Uint32Array(3))) id += word.toString(36).padStart(7, '0')
  return id
}
