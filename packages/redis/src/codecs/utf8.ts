import { isUtf8 } from 'node:buffer'

/** Bytes as a `Buffer` over the same memory. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The text of bytes. What is not UTF-8 is a `SyntaxError`, where a `Buffer` would put replacement characters. */
export function textOf(bytes: Uint8Array): string {
  const text = bufferOf(bytes).toString('utf8')
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new SyntaxError('these bytes are no UTF-8')
  return text
}
