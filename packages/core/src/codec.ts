/** Turns values into bytes and back, for stores that leave the process. */
export interface Codec {
  /** Stands in front of the bytes, so that another codec's are told apart. Short and stable. */
  readonly name: string
  /**
   * The bytes. A value that cannot be kept is a `CacheError` with the code `ERR_VALUE` that names the path. `key`:
   * whose they are, for a codec that binds them to it.
   */
  encode(value: unknown, key: string): Uint8Array
  /**
   * A value equal to the encoded one, which shares no memory with the bytes. Bytes it does not understand are an
   * error, never another value.
   */
  decode(bytes: Uint8Array, key: string): unknown
}
