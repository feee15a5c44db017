/** What a cache over Redis is opened with for one measurement. */
export interface RedisSetup {
  readonly url: string
  /** Whether the client sends together what is called in one turn. Only for clients that leave the choice. */
  readonly pipelined: boolean
  /** What every entry is tagged with, if its cache has tags. */
  readonly tags: readonly string[] | undefined
  readonly load: (key: string) => Promise<unknown>
}

/** A cache over Redis that was opened for one measurement. */
export interface RedisSubject {
  /** What is cached; loads and stores it if there is nothing. */
  readonly read: (key: string) => Promise<unknown>
  /** What is cached, without a loader. */
  readonly get?: (key: string) => Promise<unknown>
  /** What is cached under several keys. */
  readonly getMany?: (keys: readonly string[]) => Promise<unknown>
  readonly close: () => unknown
}

/** One way to use one cache over Redis, with nothing in memory that would answer in its place. */
export interface RedisContestant {
  readonly label: string
  readonly packages: readonly string[]
  /** Whether it heeds `tags`. */
  readonly tagged: boolean
  open(setup: RedisSetup): RedisSubject | Promise<RedisSubject>
}

/** How many entries a memory in front of Redis holds: far fewer than there are keys, so that it never has one. */
export const nearEntries = 100
