import type { StoredRow } from '../pending-table.js'

/** What the log says of an operation. */
export type JournalRecord =
  | { readonly type: 'put'; readonly key: string; readonly sequence: number; readonly value: Uint8Array }
  | { readonly type: 'delete' | 'ack' | 'retry' | 'drop'; readonly key: string; readonly sequence: number }
  | {
      readonly type: 'fail' | 'die'
      readonly key: string
      readonly sequence: number
      readonly error: string
      readonly failedAt: number
    }
  | { readonly type: 'row'; readonly row: StoredRow<Uint8Array> }

const types = ['put', 'delete', 'ack', 'retry', 'drop', 'fail', 'die', 'row'] as const
const codes = Object.fromEntries(types.map((type, code) => [type, code])) as Record<
  JournalRecord['type'],
  number
>

/*
 * A record: type (1 byte), sequence (8), length of the key (4), the key, length of the rest (4), the rest. A key with
 * surrogates is UTF-16, and its length has the highest bit: half a pair has no UTF-8.
 */
const wide = 0x8000_0000
const fixed = 17

function encode(type: JournalRecord['type'], sequence: number, key: string, rest: Uint8Array): Buffer {
  const encoding = /[\ud800-\udfff]/.test(key) ? 'utf16le' : 'utf8'
  const keyLength = Buffer.byteLength(key, encoding)
  const bytes = Buffer.allocUnsafe(fixed + keyLength + rest.length)
  bytes[0] = codes[type]
  bytes.writeDoubleBE(sequence, 1)
  bytes.writeUInt32BE((encoding === 'utf8' ? keyLength : keyLength | wide) >>> 0, 9)
  bytes.write(key, 13, encoding)
  bytes.writeUInt32BE(rest.length, 13 + keyLength)
  bytes.set(rest, fixed + keyLength)
  return bytes
}

const nothing = new Uint8Array(0)

/** The bytes of a record. */
export function recordOf(record: JournalRecord): Buffer {
  switch (record.type) {
    case 'put':
      return encode('put', record.sequence, record.key, record.value)
    case 'fail':
    case 'die':
      return encode(record.type, record.sequence, record.key, failureOf(record.failedAt, record.error))
    case 'row': {
      const { key, sequence, kind, attempts, dead, error, failedAt, value } = record.row
      const head = Buffer.alloc(10)
      head[0] = kind === 'put' ? 1 : 0
      head[1] = dead ? 1 : 0
      head.writeUInt32BE(attempts, 2)
      const failure = failureOf(failedAt, error)
      head.writeUInt32BE(failure.length, 6)
      return encode('row', sequence, key, Buffer.concat([head, failure, value ?? nothing]))
    }
    default:
      return encode(record.type, record.sequence, record.key, nothing)
  }
}

function failureOf(failedAt: number, error: string): Buffer {
  const bytes = Buffer.alloc(8 + Buffer.byteLength(error))
  bytes.writeDoubleBE(failedAt, 0)
  bytes.write(error, 8)
  return bytes
}

/** The records of a payload. Bytes that are none are a `RangeError`; a checksum has vouched for them before. */
export function* recordsOf(payload: Buffer): Generator<JournalRecord> {
  for (let at = 0; at < payload.length;) {
    const type = types[payload[at]!]
    if (type === undefined) throw new RangeError(`unknown record ${payload[at]}`)
    const sequence = payload.readDoubleBE(at + 1)
    const length = payload.readUInt32BE(at + 9)
    const keyLength = (length & ~wide) >>> 0
    const restAt = at + fixed + keyLength
    const key = payload.toString(length === keyLength ? 'utf8' : 'utf16le', at + 13, restAt - 4)
    const end = restAt + payload.readUInt32BE(restAt - 4)
    if (end > payload.length) throw new RangeError('a record is longer than its frame')
    // A copy: the payload is a window on the file that moves on.
    yield decode(type, key, sequence, Buffer.from(payload.subarray(restAt, end)))
    at = end
  }
}

function decode(type: JournalRecord['type'], key: string, sequence: number, rest: Buffer): JournalRecord {
  switch (type) {
    case 'put':
      return { type, key, sequence, value: rest }
    case 'fail':
    case 'die':
      return { type, key, sequence, failedAt: rest.readDoubleBE(0), error: rest.toString('utf8', 8) }
    case 'row': {
      const failureEnd = 10 + rest.readUInt32BE(6)
      const row = {
        key,
        sequence,
        kind: rest[0] === 1 ? ('put' as const) : ('delete' as const),
        dead: rest[1] === 1,
        attempts: rest.readUInt32BE(2),
        failedAt: rest.readDoubleBE(10),
        error: rest.toString('utf8', 18, failureEnd),
        value: rest[0] === 1 ? rest.subarray(failureEnd) : undefined,
      }
      return { type, row }
    }
    default:
      return { type, key, sequence }
  }
}
