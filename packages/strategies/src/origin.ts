import type { Awaitable } from '@flow-cache/core'

/** What every call of an origin is told beside its arguments. */
export interface OriginCall {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal
}

/** What a write is told beside its key and value. */
export interface WriteCall extends OriginCall {
  /**
   * The place of this write among all writes of its key: a later write has a larger number. Write-behind gives it.
   * An origin that keeps the number it applied last, and ignores any that is not larger, is safe against a write
   * delivered twice.
   */
  readonly sequence?: number
  /** `key:sequence`, for origins that remember requests by a key of their own. */
  readonly idempotencyKey?: string
}

/** Reads one key. */
export interface Reads<V> {
  /** The value, or `undefined` if the origin has none under `key`. */
  read(key: string, call: OriginCall): Awaitable<V | undefined>
}

/** Reads many keys at once. */
export interface ReadsMany<V> {
  /** The values that are there. A key that is absent from the map has none. */
  readMany(keys: readonly string[], call: OriginCall): Awaitable<ReadonlyMap<string, V>>
}

/** Writes one key. */
export interface Writes<V> {
  /** Resolves when the origin has the value for good. */
  write(key: string, value: V, call: WriteCall): Awaitable<void>
}

/** Deletes one key. */
export interface Deletes {
  /** Resolves when the origin has no value under `key`, also when it had none before. */
  delete(key: string, call: WriteCall): Awaitable<void>
}

/** What a write of many keys is told beside them. */
export interface WriteManyCall extends OriginCall {
  /** See {@link WriteCall.sequence}; one for each entry, in their order. */
  readonly sequences?: readonly number[]
  /** See {@link WriteCall.idempotencyKey}; one for each entry, in their order. */
  readonly idempotencyKeys?: readonly string[]
}

/** Writes many keys at once. */
export interface WritesMany<V> {
  /**
   * Resolves when the origin has all of them for good. If it rejects, any part of them may have been written, and all
   * are written again.
   */
  writeMany(entries: readonly (readonly [key: string, value: V])[], call: WriteManyCall): Awaitable<void>
}
