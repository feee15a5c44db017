/** How long every contestant keeps what it holds, in milliseconds: long enough that nothing ends while it is measured. */
export const ttl = 300_000

/** What a cache is opened with for one measurement. */
export interface Setup {
  /** How many entries it can hold at most. */
  readonly capacity: number
  /** Asks the origin. */
  readonly load: (key: string) => Promise<unknown>
}

/** A cache that was opened for one measurement. A call it does not have is absent. */
export interface Subject {
  /** What is cached; loads it if there is nothing. */
  readonly read: (key: string) => unknown
  readonly get?: (key: string) => unknown
  readonly set?: (key: string, value: unknown) => unknown
  readonly close?: () => unknown
}

/** One way to use one cache, set up as its own documentation does, with the same `ttl` and bound as the others. */
export interface Contestant {
  /** How the tables call it. */
  readonly label: string
  /** The packages it consists of; their versions stand below the tables. */
  readonly packages: readonly string[]
  open(setup: Setup): Subject | Promise<Subject>
}
