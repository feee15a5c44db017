/** Every code of a {@link CacheError}, and what it means. A code never changes its meaning; new ones may be added. */
export const errorCodes = {
  ERR_KEY: 'A value has no canonical form, so no key can be made of it; `path` says where.',
  ERR_VALUE: 'A value cannot be kept: what was put in could not be given back.',
  ERR_LOAD_TIMEOUT: 'A load took longer than `timeouts.load` and was given up.',
  ERR_TIMEOUT: 'A caller had no value within `timeouts.hard`.',
  ERR_STORE_TIMEOUT: 'A store call took longer than `timeouts.store`.',
  ERR_STORE: 'A store call failed; `cause` says why.',
  ERR_STORE_FULL: 'The store has no room and takes no writes; what is there can be read.',
  ERR_SHARD: 'One of several stores that share the keys failed; the others work.',
  ERR_CIRCUIT_OPEN: 'The store failed too often in a row and is left alone for now.',
  ERR_POISONED: 'Stored bytes cannot be understood: another layout, a truncated or a damaged value.',
  ERR_CLOSED: 'The cache is closed.',
  ERR_RECURSION: 'A loader asked for the very key it is loading, and would wait for itself.',
  ERR_TOO_MANY_LOADS: 'As many loads are under way as `maxLoads` allows.',
  ERR_SCHEMA: 'A stored value does not fit the `schema`.',
  ERR_UNSUPPORTED: 'The store lacks the group of methods that a call needs.',
  ERR_LOADER_RESULT: '`loadMany` answered with something other than one value for each key.',
  ERR_FULL: 'As many writes wait for the origin as `maxPending` allows, and none ended in time.',
  ERR_JOURNAL: 'A journal could not do what it was asked; `cause` says why.',
  ERR_JOURNAL_IN_USE: 'Another living process has this journal.',
  ERR_SNAPSHOT: 'A file of hot keys cannot be read: it is missing, damaged, or something else.',
  ERR_JOURNAL_DAMAGED: 'A journal is damaged where that is no torn end; nothing in it was changed.',
} as const

/** The stable name of a failure. `docs/errors.md` says what each one means. */
export type CacheErrorCode = keyof typeof errorCodes

/** What a {@link CacheError} may bring along. */
export interface CacheErrorOptions {
  /** The error it wraps. */
  readonly cause?: unknown
  /** The cache key it is about. */
  readonly key?: string | undefined
}

/** A failure of the cache itself. A loader's own error is never wrapped in one. Tell them apart by `code`. */
export class CacheError extends Error {
  /** Which failure this is. */
  readonly code: CacheErrorCode
  /** The cache key it is about; absent if it is about none. */
  declare readonly key?: string

  /** Without a `cause` there is no such property, as with `Error`. */
  constructor(code: CacheErrorCode, message: string, options: CacheErrorOptions = {}) {
    super(message, options)
    this.code = code
    if (options.key !== undefined) this.key = options.key
  }

  // On the prototype: the stack is written before the constructor's body runs, and shall begin with this name.
  override get name(): string {
    return 'CacheError'
  }
}

/** A value of which no key can be made. The code is `ERR_KEY`. */
export class CacheKeyError extends CacheError {
  /** Where in the value, as a JSON path: `$` is the value itself, `$.input.client[3]` a part. */
  readonly path: string

  constructor(path: string, message: string, options?: CacheErrorOptions) {
    super('ERR_KEY', message, options)
    this.path = path
  }

  override get name(): string {
    return 'CacheKeyError'
  }
}

/** The code of a {@link CacheError}. */
export const codeOf = (error: unknown): CacheErrorCode | undefined =>
  error instanceof CacheError ? error.code : undefined

/** How a path goes on to the item of an index or the property of a name. */
export const pathStep = (at: number | string): string =>
  typeof at === 'string' && /^[A-Za-z_$][\w$]*$/.test(at) ? `.${at}` : `[${JSON.stringify(at)}]`
