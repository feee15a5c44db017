/** Uniform in [0, 1). Tests give a seeded one. */
export type Random = () => number

/** The platform's. */
export const systemRandom: Random = () => Math.random()

/** Random words in stock: asking the platform takes longer than all else here. */
const words = new Uint32Array(192)
let used = words.length

/** An identifier of 96 random bits: no two processes, and no two runs of one, make the same. */
export function randomId(): string {
  if (used === words.length) {
    crypto.getRandomValues(words)
    used = 0
  }
  let id = ''
  for (let i = 0; i < 3; i++) id += words[used++]!.toString(36).padStart(7, '0')
  return id
}
