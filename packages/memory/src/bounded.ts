/** Entries by key within bounds, and the rule by which they go. What a store keeps its entries in. */
export interface Bounded<V extends object> {
  /** Its keys, in the order they came. An iterator of them bears any change. */
  readonly keys: ReadonlyMap<string, unknown>
  /** The value, which is a use, or `undefined`. */
  get(key: string): V | undefined
  /** The value, or `undefined`. Not a use. */
  peek(key: string): V | undefined
  /** Keeps or replaces the value, which is a use. `size` is what it takes of the bound in bytes, from 1 to
   * all of it. */
  set(key: string, value: V, size: number): void
  /** Removes the value; tells whether there was one. */
  drop(key: string): boolean
  clear(): void
}
