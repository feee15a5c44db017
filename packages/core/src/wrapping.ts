import type { GetOrSetOptions } from './options.js'
import type { Awaitable } from './store.js'

/** A function that can be wrapped. */
export type Wrappable<Args extends readonly unknown[], V> = (...args: Args) => Awaitable<V>

/** A function that remembers its answers: called like the one it wraps, answering with a promise. */
export interface Wrapped<Args extends readonly unknown[], V> {
  (...args: Args): Promise<V>
  /** The key under which the answer for these arguments is kept, for `delete`, `expire` or `explain`. */
  keyFor(...args: Args): string
}

/** Options of `wrap`. */
export interface WrapOptions<Args extends readonly unknown[]> extends GetOrSetOptions {
  /** What of the arguments makes the key. Default: all of them. */
  readonly key?: ((...args: Args) => unknown) | undefined
}
