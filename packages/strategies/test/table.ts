import type { Deletes, Reads, ReadsMany, Writes, WritesMany } from '@flow-cache/strategies'

/** An origin in memory that says what it was asked, and goes wrong as it is told. */
export interface Table extends Reads<string>, ReadsMany<string>, Writes<string>, WritesMany<string>, Deletes {
  readonly rows: Map<string, string>
  /** What was asked, such as `read a`. */
  readonly asked: string[]
  /** Called before each effect; what it throws is the origin's error, and what it waits for is waited for. */
  before: (what: string) => unknown
}

export function table(rows: Readonly<Record<string, string>> = {}): Table {
  const kept = new Map(Object.entries(rows))
  const asked: string[] = []
  const ask = async (what: string): Promise<void> => {
    asked.push(what)
    await it.before(what)
  }
  const it: Table = {
    rows: kept,
    asked,
    before: () => {},
    async read(key) {
      await ask(`read ${key}`)
      return kept.get(key)
    },
    async readMany(keys) {
      await ask(`readMany ${keys.join(' ')}`)
      return new Map(keys.filter((key) => kept.has(key)).map((key) => [key, kept.get(key)!]))
    },
    async write(key, value) {
      await ask(`write ${key}`)
      kept.set(key, value)
    },
    async writeMany(entries) {
      await ask(`writeMany ${entries.map(([key]) => key).join(' ')}`)
      for (const [key, value] of entries) kept.set(key, value)
    },
    async delete(key) {
      await ask(`delete ${key}`)
      kept.delete(key)
    },
  }
  return it
}
