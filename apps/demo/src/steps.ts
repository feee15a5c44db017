/** The steps of an answer, in order. */
export const stepNames = ['scan', 'chunk', 'index', 'retrieve', 'rerank', 'brief'] as const

/** One of the steps. */
export type StepName = (typeof stepNames)[number]

/** What became of one step of one answer. */
export interface Step {
  readonly name: StepName
  /** Whether it ran, was answered by the cache, or in part each. */
  readonly from: 'ran' | 'cache' | 'both'
  /** How long it took, the look-up included. */
  readonly ms: number
  /** What it would have taken more without the cache: the recorded cost of what was found, less the look-up. */
  readonly savedMs: number
  /** What the step did, for people. */
  readonly note: string
}

/** A value and what making it took, kept together so that a hit can tell what it saved. */
export interface Costed<T> {
  readonly value: T
  readonly costMs: number
}

/** Makes a value and notes what that took. */
export async function costed<T>(make: () => T | Promise<T>): Promise<Costed<T>> {
  const start = performance.now()
  const value = await make()
  return { value, costMs: performance.now() - start }
}
