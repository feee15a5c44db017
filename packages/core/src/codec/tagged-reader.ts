import { Buffers } from './buffers.js'

/** Reads what `writeTagged` wrote. Anything else is an error. What it returns shares no memory with `bytes`. */
export function readTagged(text: string, bytes: Uint8Array): unknown {
  const reader = new Reader(bytes)
  const value = reader.read(JSON.parse(text))
  reader.end()
  return value
}

const tilde = 126

const fail = (what: string): never => {
  throw new SyntaxError(`these bytes are no value: ${what}`)
}

const numbers: ReadonlyMap<string, number> = new Map(
  [NaN, Infinity, -Infinity, -0].map((value) => [Object.is(value, -0) ? '-0' : `${value}`, value]),
)

type Make = (buffer: ArrayBuffer) => object

/** What can be made of bytes that belong to nobody else. */
const binaries: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['ArrayBuffer', (buffer) => buffer],
  ['DataView', (buffer) => new DataView(buffer)],
  ...nodeBuffer(),
  ...typedArrays(),
])

function* nodeBuffer(): Iterable<[string, Make]> {
  if (Buffers !== undefined) yield ['Buffer', (buffer) => Buffers!.from(buffer)]
}

/** All that the platform has: `Float16Array` came later. */
function* typedArrays(): Iterable<[string, Make]> {
  for (const size of ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float16']) {
    yield* typedArray(`${size}Array`)
  }
  for (const size of ['Float32', 'Float64', 'BigInt64', 'BigUint64']) yield* typedArray(`${size}Array`)
}

function* typedArray(name: string): Iterable<[string, Make]> {
  const Type = (globalThis as Record<string, unknown>)[name] as
    (new (buffer: ArrayBuffer) => object) | undefined
  if (Type !== undefined) yield [name, (buffer) => new Type(buffer)]
}

class Reader {
  readonly #bytes: Uint8Array
  #offset = 0
  readonly #objects: object[] = []

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) fail('bytes are left over')
  }

  /** The value of a part of the tree, which becomes it where it can. */
  read(tree: unknown): unknown {
    if (typeof tree === 'string') return tree.charCodeAt(0) === tilde ? this.#tag(tree) : tree
    if (typeof tree !== 'object' || tree === null) return tree
    return Array.isArray(tree) ? this.#array(tree) : this.#fill(tree, tree)
  }

  #tag(text: string): unknown {
    const rest = text.slice(2)
    switch (text[1]) {
      case '~':
        return text.slice(1)
      case 'u':
        return rest === '' ? undefined : fail('a tag is unknown')
      case '#':
        return numbers.get(rest) ?? fail('a number is unknown')
      case 'i':
        return bigintOf(rest)
      case 'd':
        return this.#keep(dateOf(rest))
      case 'r':
        return this.#objects[countOf(rest)] ?? fail('an object is not there')
      case 'f':
        return this.#keep(listOf(new Float64Array(this.#take(countOf(rest) * 8))))
      case 'b': {
        const [name, length = ''] = rest.split(':')
        const make = binaries.get(name!) ?? fail(`there is no ${name} here`)
        return this.#keep(make(this.#take(countOf(length))))
      }
      default:
        return fail('a tag is unknown')
    }
  }

  #array(tree: unknown[]): unknown {
    switch (tree[0]) {
      case '~m':
        return this.#map(tree)
      case '~s':
        return this.#set(tree)
      case '~o':
        return this.#fill(Object.create(null) as object, recordIn(tree, 1))
      case '~x':
        return this.#list(tree)
      default:
        return this.#items(tree)
    }
  }

  #items(items: unknown[]): unknown {
    this.#keep(items)
    for (let i = 0; i < items.length; i++) items[i] = this.read(items[i])
    return items
  }

  #list(tree: readonly unknown[]): unknown {
    const list: unknown[] = []
    const length = Number(tree[1])
    // A length of more than 32 bits is a RangeError.
    list.length = length
    this.#fill(list, recordIn(tree, 2))
    return list.length === length ? list : fail('a list is damaged')
  }

  #map(tree: readonly unknown[]): unknown {
    const map = this.#keep(new Map<unknown, unknown>())
    for (let i = 1; i < tree.length; i += 2) {
      const key = this.read(tree[i])
      map.set(key, this.read(tree[i + 1]))
    }
    return map.size * 2 + 1 === tree.length ? map : fail('a map is damaged')
  }

  #set(tree: readonly unknown[]): unknown {
    const set = this.#keep(new Set<unknown>())
    for (let i = 1; i < tree.length; i++) set.add(this.read(tree[i]))
    return set.size + 1 === tree.length ? set : fail('a set is damaged')
  }

  /** Reads the properties of `tree` into `target`, which may be `tree` itself. */
  #fill(target: object, tree: object): object {
    this.#keep(target)
    for (const name of Object.keys(tree)) {
      const part = (tree as Record<string, unknown>)[name]
      const value = this.read(part)
      if (target === tree && value === part) continue
      // `__proto__` is a name like others.
      if (name !== '__proto__') (target as Record<string, unknown>)[name] = value
      else
        Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
    }
    return target
  }

  #keep<T extends object>(value: T): T {
    this.#objects.push(value)
    return value
  }

  #take(length: number): ArrayBuffer {
    const start = this.#offset
    if (length > this.#bytes.length - start) fail('bytes are missing')
    this.#offset += length
    const copy = new Uint8Array(length)
    copy.set(this.#bytes.subarray(start, this.#offset))
    return copy.buffer
  }
}

const whole = /^\d{1,15}$/

const countOf = (text: string): number => (whole.test(text) ? Number(text) : fail('a number is damaged'))

function bigintOf(text: string): bigint {
  if (!/^-?[\da-f]+$/.test(text)) return fail('a bigint is damaged')
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
}

function dateOf(text: string): Date {
  if (text !== 'NaN' && !/^-?\d{1,16}$/.test(text)) return fail('a date is damaged')
  return new Date(Number(text))
}

/** `Array.from` takes ten times as long. */
function listOf(numbers: Float64Array): number[] {
  const list = new Array<number>(numbers.length)
  for (let i = 0; i < numbers.length; i++) list[i] = numbers[i]!
  return list
}

function recordIn(tree: readonly unknown[], last: number): object {
  const record = tree[last]
  if (tree.length !== last + 1 || typeof record !== 'object' || record === null || Array.isArray(record)) {
    return fail('an object is damaged')
  }
  return record
}
