/** A response as the cache keeps it: plain data, which every store can keep. */
export interface Stored {
  readonly kind: 'response'
  /** The layout of this value; another one is a miss. */
  readonly layout: 1
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array | null
  /** The names of the request headers that it depends on, in lower case, sorted. */
  readonly vary: readonly string[]
  /** Which variant it is: a hash of those headers; `''` without any. */
  readonly variant: string
  /** When it was received, in milliseconds. */
  readonly receivedAt: number
  /** How old it was then, in seconds. */
  readonly age: number
  /** For how long it is fresh, from age 0, in seconds. */
  readonly lifetime: number
  /** For how long after that it may be served while it is asked for anew (RFC 5861), in seconds. */
  readonly staleWhileRevalidate: number
  /** The same while the handler fails. */
  readonly staleIfError: number
  readonly tags: readonly string[]
}

/** Says that responses of this resource were not to be kept, so that nobody waits for another's. */
export interface Pass {
  readonly kind: 'pass'
  readonly layout: 1
}

/** The one there is. */
export const pass: Pass = { kind: 'pass', layout: 1 }

/** What the cache has under a key, if it is this package's. */
export function storedOf(value: unknown): Stored | Pass | undefined {
  const stored = value as Partial<Stored | Pass> | null | undefined
  if (typeof stored !== 'object' || stored === null || stored.layout !== 1) return undefined
  return stored.kind === 'response' || stored.kind === 'pass' ? (stored as Stored | Pass) : undefined
}

/** How old it is now, in seconds. */
export const ageOf = (stored: Stored, now: number): number =>
  stored.age + Math.max(0, now - stored.receivedAt) / 1_000

/** For how much longer it is fresh, in seconds; negative once it is stale. */
export const freshFor = (stored: Stored, now: number): number => stored.lifetime - ageOf(stored, now)

/** The headers, as the platform has them. */
export const headersOf = (stored: Stored): Headers =>
  new Headers(stored.headers.map(([name, value]): [string, string] => [name, value]))

/** The body, which the platform copies. */
export const bodyOf = ({ body }: Stored): Uint8Array<ArrayBuffer> | null =>
  body as Uint8Array<ArrayBuffer> | null
