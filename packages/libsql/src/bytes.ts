/**
 * A key as it stands in the file: two bytes a unit of UTF-16. No two keys have the same, half a surrogate pair
 * included, and a key begins with another one where its bytes do.
 */
export const bytesOf = (key: string): Buffer => Buffer.from(key, 'utf16le')

/** The key that these are the bytes of. */
export const keyOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le')

/** The first bytes after all that begin with these; `undefined` if there are none. */
export function endOf(prefix: Uint8Array): Buffer | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1]!++
  return end
}

/** The text that a column holds, which was read as bytes; where it is damaged, another one. */
export const textOf = (bytes: unknown): string =>
  bytes instanceof Uint8Array ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : ''

/** Whether these can be the bytes of a key. In a damaged file a column holds anything. */
export const isKey = (bytes: unknown): bytes is Uint8Array =>
  bytes instanceof Uint8Array && bytes.length % 2 === 0
