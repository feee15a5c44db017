import type { WriteBehindOrigin } from '@flow-cache/strategies'

/** One operation as the origin saw it. */
export interface Seen {
  readonly key: string
  readonly value: unknown
  readonly kind: 'put' | 'delete'
  readonly sequence: number
}

/** An origin in memory that remembers every operation it has done, and checks what it must hold to. */
export interface RecordingOrigin extends WriteBehindOrigin<unknown> {
  readonly values: Map<string, unknown>
  readonly seen: readonly Seen[]
  /** Calls of each method so far, failed ones included. */
  readonly calls: { read: number; write: number; writeMany: number; delete: number }
  /** Runs before each operation takes effect; what it throws is what the call rejects with. */
  before: (operation: Seen) => unknown
  /** How many calls were under way for one key at once, at most. */
  readonly mostForOneKey: number
}

/** `writeMany`: whether it can. */
export function recordingOrigin({ many = true }: { many?: boolean } = {}): RecordingOrigin {
  const values = new Map<string, unknown>()
  const seen: Seen[] = []
  const calls = { read: 0, write: 0, writeMany: 0, delete: 0 }
  const underWay = new Map<string, number>()
  let mostForOneKey = 0

  const during = async (operations: readonly Seen[], effect: () => void): Promise<void> => {
    for (const { key } of operations) {
      underWay.set(key, (underWay.get(key) ?? 0) + 1)
      mostForOneKey = Math.max(mostForOneKey, underWay.get(key)!)
    }
    try {
      for (const operation of operations) await origin.before(operation)
      effect()
      seen.push(...operations)
    } finally {
      for (const { key } of operations) underWay.set(key, underWay.get(key)! - 1)
    }
  }

  const origin: RecordingOrigin = {
    values,
    seen,
    calls,
    before: () => undefined,
    get mostForOneKey() {
      return mostForOneKey
    },
    async read(key) {
      calls.read++
      return values.get(key)
    },
    async write(key, value, { sequence = 0, idempotencyKey }) {
      calls.write++
      if (idempotencyKey !== `${key}:${sequence}`) throw new Error(`wrong key ${idempotencyKey}`)
      await during([{ key, value, kind: 'put', sequence }], () => void values.set(key, value))
    },
    async delete(key, { sequence = 0, idempotencyKey }) {
      calls.delete++
      if (idempotencyKey !== `${key}:${sequence}`) throw new Error(`wrong key ${idempotencyKey}`)
      await during([{ key, value: undefined, kind: 'delete', sequence }], () => void values.delete(key))
    },
    ...(many && {
      async writeMany(entries, { sequences = [], idempotencyKeys = [] }) {
        calls.writeMany++
        const operations = entries.map(([key, value], i): Seen => {
          if (idempotencyKeys[i] !== `${key}:${sequences[i]}`)
            throw new Error(`wrong key ${idempotencyKeys[i]}`)
          return { key, value, kind: 'put', sequence: sequences[i]! }
        })
        await during(operations, () => {
          for (const [key, value] of entries) values.set(key, value)
        })
      },
    }),
  }
  return origin
}
