/** How a peer is tried: what it is installed with, and what the program in `programs/` must have cost. */
export interface Trial {
  /** Packages to install beside a version of the peer. Default: none. */
  readonly beside?: (version: string) => readonly string[]
  /** Files in `programs/`. Default: the one that is named for the peer. */
  readonly programs?: (version: string) => readonly string[]
  /** Files in `programs/` that the programs import. Default: none. */
  readonly parts?: readonly string[]
  /** Requests that reach the model server at `MODEL_URL`. Default: 0, the program has no use for one. */
  readonly requests?: (version: string) => number
  /** Whether it needs a Redis at `REDIS_URL`. Default: `false`. */
  readonly redis?: boolean
}
