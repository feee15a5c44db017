import { Buffers } from './buffers.js'

const encoder = new TextEncoder()
/** Refuses what is not UTF-8, and takes nothing for a byte order mark. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A text as bytes. Half of a surrogate pair becomes a replacement character; JSON has none. */
export const bytesOf = (text: string): Uint8Array => Buffers?.from(text) ?? encoder.encode(text)

/** The text of bytes. What is not UTF-8 is a `SyntaxError`. */
export function textOf(bytes: Uint8Array): string {
  const own: { toString(encoding: 'utf8'): string } | undefined =
    Buffers?.isBuffer(bytes) === true
      ? bytes
      : Buffers?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // A `Buffer` puts replacement characters where it does not understand.
  const text = own?.toString('utf8')
  if (text !== undefined && !text.includes('\ufffd')) return text
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new SyntaxError('these bytes are no UTF-8', { cause })
  }
}
