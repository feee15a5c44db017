import { crc32 } from 'node:zlib'

/*
 * A file of the journal is a row of frames, and a frame is what was written at once:
 *
 *   marker (4 bytes)  length of the payload (4)  number of the frame (8)  CRC-32 of all but the marker (4)  payload
 *
 * A frame counts as a whole or not at all. Numbers go on from one file to the next, so that one that is missing shows.
 */
const marker = Buffer.from([0xfc, 0x6a, 0x0a, 0xd1])
const headLength = 20

/** The longest payload one frame should have; one record alone may be longer. */
export const frameLimit: number = 4 * 2 ** 20

/** The bytes of a frame with these records. */
export function frameOf(number: number, records: readonly Uint8Array[]): Buffer {
  const length = records.reduce((sum, record) => sum + record.length, 0)
  const frame = Buffer.allocUnsafe(headLength + length)
  frame.set(marker)
  frame.writeUInt32BE(length, 4)
  frame.writeDoubleBE(number, 8)
  let at = headLength
  for (const record of records) {
    frame.set(record, at)
    at += record.length
  }
  frame.writeUInt32BE(crcOf(frame), 16)
  return frame
}

const crcOf = (frame: Uint8Array): number => crc32(frame.subarray(headLength), crc32(frame.subarray(4, 16)))

/** A file, or a part of it, to read frames from. */
export interface FrameBytes {
  readonly size: number
  /** The bytes from `from` to `to`, which is at most `size`; valid until the next call. */
  slice(from: number, to: number): Buffer
}

/** A frame that was read. */
export interface Frame {
  readonly number: number
  readonly payload: Buffer
  /** Where the next one begins. */
  readonly end: number
}

/** The frame that begins at `at`, or `undefined` if none does that is whole. */
export function readFrame(bytes: FrameBytes, at: number): Frame | undefined {
  if (at + headLength > bytes.size) return undefined
  const head = bytes.slice(at, at + headLength)
  if (!head.subarray(0, 4).equals(marker)) return undefined
  const end = at + headLength + head.readUInt32BE(4)
  if (end > bytes.size) return undefined
  const frame = bytes.slice(at, end)
  if (frame.readUInt32BE(16) !== crcOf(frame)) return undefined
  return { number: frame.readDoubleBE(8), payload: frame.subarray(headLength), end }
}

/** Where the first whole frame begins after `at`, or `undefined` if there is none. */
export function nextFrame(bytes: FrameBytes, at: number): number | undefined {
  const step = 2 ** 16
  for (let from = at + 1; from + headLength <= bytes.size; from += step) {
    const part = Buffer.from(bytes.slice(from, Math.min(from + step + marker.length - 1, bytes.size)))
    for (let i = part.indexOf(marker); i !== -1 && i < step; i = part.indexOf(marker, i + 1)) {
      if (readFrame(bytes, from + i) !== undefined) return from + i
    }
  }
  return undefined
}
