/** What surrounds a value: its entry, and its key's place in the lists. As measured on V8. */
const perEntry = 184

/** How many parts of a value are looked at. */
const most = 4_096

/** How many of a long list's parts are looked at in any case. */
const fewest = 8

/**
 * An estimate of the heap that a value and its entry take, in bytes, for plain values: 2 bytes a character, 8 a
 * number, the length of bytes, and the parts of objects, arrays, maps and sets with what holds them together. What
 * is reached twice counts once. Of a list that is too long, some parts count for all.
 */
export function estimateSize(value: unknown, key: string): number {
  const seen = new Set<object>()
  let looked = 0

  /** The size of a part and of the slot it lies in. Looks at parts until `looked` is at the limit. */
  function sizeOf(part: unknown, limit: number): number {
    looked++
    if (typeof part === 'string') return 24 + 2 * part.length
    if (typeof part === 'bigint') return 40
    if (typeof part !== 'object' || part === null) return 8
    if (seen.has(part)) return 8
    seen.add(part)
    if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return 128 + part.byteLength
    if (Array.isArray(part)) return 40 + sizeOfList(evenly(part), part.length, limit)
    if (part instanceof Set) return 80 + 16 * part.size + sizeOfList(first(part), part.size, limit)
    if (part instanceof Map) {
      const half = Math.floor((looked + limit) / 2)
      const keys = sizeOfList(first(part.keys()), part.size, half)
      return 80 + 24 * part.size + keys + sizeOfList(first(part.values()), part.size, limit)
    }
    const names = Object.keys(part)
    // A property's name is shared by all objects of a shape; an object of many is a dictionary of its own.
    const dictionary = names.length > 32 ? 80 * names.length : 0
    const left = Math.min(names.length, limit - looked)
    const parts = names.slice(0, left).map((name) => (part as Readonly<Record<string, unknown>>)[name])
    return 40 + dictionary + sizeOfAll(parts, names.length, limit)
  }

  function sizeOfList(pick: (take: number) => readonly unknown[], length: number, limit: number): number {
    const left = limit - looked
    return sizeOfAll(
      pick(Math.min(length, left, Math.max(fewest, Math.floor(Math.sqrt(left))))),
      length,
      limit,
    )
  }

  /** The size of `length` parts, of which these are some. */
  function sizeOfAll(parts: readonly unknown[], length: number, limit: number): number {
    if (parts.length === 0) return 8 * length
    let bytes = 0
    parts.forEach((part, i) => {
      bytes += sizeOf(part, looked + Math.floor((limit - looked) / (parts.length - i)))
    })
    return (bytes * length) / parts.length
  }

  return perEntry + 2 * key.length + sizeOf(value, most)
}

/** Picks from all over an array. */
const evenly =
  (parts: readonly unknown[]) =>
  (take: number): readonly unknown[] =>
    take === parts.length
      ? parts
      : Array.from({ length: take }, (_, i) => parts[Math.floor((i * parts.length) / take)])

/** Picks from the beginning of what has no index. */
const first =
  (parts: Iterable<unknown>) =>
  (take: number): readonly unknown[] => {
    const taken: unknown[] = []
    for (const part of parts) if (taken.push(part) >= take) break
    return take === 0 ? [] : taken
  }
