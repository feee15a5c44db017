/*
 * One writer, in one pass over the value, straight into bytes: for a digest nobody needs the text, building one
 * out of small strings costs several times what the digest does, and what has been written is measured as it grows.
 *
 * Plain JSON data is written as RFC 8785 says: names sorted by UTF-16 code units, ECMAScript's numbers, no white
 * space. What JSON has no form for is an object whose only or first name is a tag, such as {"$date":"…"}. Names in
 * data that begin with `$` get a second one, so that no data looks like a tag.
 */
import { CacheKeyError } from './errors.js'
import { createSha256, type Sha256, sha256 } from './sha256.js'

/** Gives the instances of a class a canonical form. */
export interface KeyCodec<T = unknown> {
  /** Stands in the canonical form: another name makes other keys, and no two codecs may share one. */
  readonly name: string
  /** Whether the value is one of them. Asked of everything that is not plain data, a `Date` or `Map` included. */
  test(value: unknown): value is T
  /** What identifies it, as anything that has a canonical form. */
  encode(value: T): unknown
}

/** What may be in a value of which a key is made. */
export interface KeyOptions {
  /** For class instances; the first whose `test` says yes is taken. Default: none. */
  readonly codecs?: readonly KeyCodec[] | undefined
  /** Whether an object with a `toJSON` method equals what that returns. Default: `false`, such an object is an error. */
  readonly allowToJSON?: boolean | undefined
  /** The longest canonical form, in bytes of UTF-8. Binary data counts as its digest. Default: 1 MiB. */
  readonly maxBytes?: number | undefined
}

/**
 * A key for any value: the SHA-256 digest of its {@link canonical} form, as 43 characters that are safe in a URL.
 *
 * Equal values have equal keys in every process and release; `'flow-cache/key/1'` is digested with the form, so
 * that no other use of SHA-256 makes the same. What has no canonical form is a {@link CacheKeyError}.
 */
export function keyOf(value: unknown, options: KeyOptions = {}): string {
  return write(value, options, false)
}

/**
 * The text that stands for a value: equal values have equal texts, and different ones different texts.
 *
 * Plain data is written as RFC 8785 says, so `-0` equals `0`, and a property that is `undefined` equals an absent
 * one. Beyond JSON, and never equal to any JSON:
 *
 * - `undefined` as the value itself, as an item (holes too) or in a map or set; bigints; dates; URLs
 * - bytes, by content and type of array (a `Buffer` is a `Uint8Array`)
 * - maps and sets, in any order; regular expressions, by source and flags
 * - whatever a codec encodes
 *
 * Ignored are symbols as names, what is not enumerable, and properties of an array or a built-in object beside its
 * content. A getter is an error in an object; one that stands as an item of an array is read, because looking for it
 * would double the cost of long lists.
 *
 * All else is a {@link CacheKeyError} that says where and what to do: `NaN` and infinities, lone surrogates,
 * functions, symbols, getters, class instances, circular references, more than 500 levels, more than `maxBytes`.
 */
export function canonical(value: unknown, options: KeyOptions = {}): string {
  return write(value, options, true)
}

const domain = 'flow-cache/key/1\0'
const deepest = 500

/** Up to this length, a loop in JavaScript beats the call of a native function. */
const short = 64

const quote = 34
const dollar = 36
const comma = 44
const colon = 58
const openBracket = 91
const backslash = 92
const unicode = 117
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

/** What stands behind the backslash, for each byte that needs one. */
const escapes = /* @__PURE__ */ escapesOfJson()

function escapesOfJson(): Uint8Array {
  const escapes = new Uint8Array(256).fill(unicode, 0, 0x20)
  for (const [byte, escape] of [
    [8, 98],
    [9, 116],
    [10, 110],
    [12, 102],
    [13, 114],
    [quote, quote],
    [backslash, backslash],
  ] as const) {
    escapes[byte] = escape
  }
  return escapes
}

/** Text goes through here in pieces, to have its escapes put in. */
const piece = /* @__PURE__ */ new Uint8Array(2048)
const pieceInFours = /* @__PURE__ */ new DataView(piece.buffer)

/** How long a byte of text can get: `\u001f`. */
const longestEscape = 6

const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true })

/** The writer nobody uses now. A codec may ask for a key while another is being made, and then gets its own. */
let idle: Writer | undefined

function write(value: unknown, options: KeyOptions, asText: boolean): string {
  const writer = idle ?? new Writer()
  idle = undefined
  // One that fails is not used again.
  const result = writer.write(value, options, asText)
  idle = writer
  return result
}

/** Where in a container: an index, the name of a property, or which of a map's or a set's parts. */
type Step = number | string | readonly [parts: 'keys' | 'values', index: number]

/** The names of an object's properties, as they stand and in order. */
interface Order {
  readonly names: readonly string[]
  readonly sorted: readonly string[]
}

class Writer {
  /** What is written and has not gone on yet: to `#text` if there is one, else to `#hash`. */
  readonly #page = new Uint8Array(16_384)
  readonly #pageInFours = new DataView(this.#page.buffer)
  #length = 0
  #text: string | undefined
  #hash: Sha256 | undefined

  #options: KeyOptions = {}
  /** How many bytes may still go on. */
  #left = 0

  /** The containers that are being written, outermost first, and where in each of them. */
  readonly #open: object[] = []
  readonly #at: (Step | undefined)[] = []
  #depth = 0

  /** At each depth, the order of the last object's names: the items of a list tend to have the same. */
  readonly #orders: Order[] = []

  write(value: unknown, options: KeyOptions, asText: boolean): string {
    this.#options = options
    this.#left = options.maxBytes ?? 1_048_576
    this.#text = asText ? '' : undefined
    try {
      if (!asText) {
        this.#left += domain.length
        this.#raw(domain)
      }
      this.#value(value)
      const end = this.#spend()
      // A writer that waits for the next value keeps none of this one's objects.
      this.#open.length = this.#at.length = this.#orders.length = 0
      if (this.#text !== undefined) return this.#text + decoder.decode(end)
      const hash = this.#hash
      this.#hash = undefined
      return hash === undefined ? sha256(end) : hash.update(end).digest('base64url')
    } catch (cause) {
      if (cause instanceof CacheKeyError) throw cause
      // A codec, a `toJSON`, a proxy, or the end of the stack.
      return this.#refuse('cannot be read', 'the cause says why', cause)
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        if (!Number.isFinite(value)) this.#refuse(`is ${value}`, 'give null or a string in its place')
        return this.#raw(`${value}`)
      case 'boolean':
        return this.#raw(value ? 'true' : 'false')
      case 'undefined':
        return this.#raw('{"$undefined":true}')
      case 'bigint':
        return this.#raw(`{"$bigint":"${value}"}`)
      case 'symbol':
        return this.#refuse('is a symbol', 'leave it out, or give its description')
      default:
        return value === null ? this.#raw('null') : this.#container(value as object)
    }
  }

  #container(value: object): void {
    const depth = this.#depth++
    this.#open[depth] = value
    this.#at[depth] = undefined
    if (depth === deepest) this.#refuse(`is nested deeper than ${deepest} levels`, 'pick fewer fields')
    const prototype = Object.getPrototypeOf(value) as object | null
    if (Array.isArray(value) && (prototype === Array.prototype || nameOf(prototype) === 'Array')) {
      this.#array(value, depth)
    } else if (typeof value === 'object' && isPlain(prototype)) this.#object(value, depth)
    else this.#instance(value, prototype, depth)
    this.#depth = depth
  }

  #array(array: readonly unknown[], depth: number): void {
    this.#byte(openBracket)
    for (let i = 0; i < array.length; i++) {
      this.#at[depth] = i
      if (i > 0) this.#byte(comma)
      this.#value(array[i])
    }
    this.#byte(closeBracket)
  }

  #object(object: object, depth: number): void {
    if (this.#options.allowToJSON && hasToJSON(object)) return this.#value(object.toJSON())
    let before = openBrace
    for (const name of this.#sorted(Object.keys(object), depth)) {
      this.#at[depth] = name
      const property = Object.getOwnPropertyDescriptor(object, name)
      // A getter is not asked: what it answers may differ from call to call.
      if (property?.get !== undefined || property?.set !== undefined)
        this.#refuse('is a getter', 'give its value')
      if (property?.value === undefined) continue
      this.#byte(before)
      before = comma
      this.#string(name.charCodeAt(0) === dollar ? `$${name}` : name)
      this.#byte(colon)
      this.#value(property.value)
    }
    if (before === openBrace) this.#byte(openBrace)
    this.#byte(closeBrace)
  }

  #sorted(names: readonly string[], depth: number): readonly string[] {
    const known = this.#orders[depth]
    if (known !== undefined && isSame(known.names, names)) return known.sorted
    const sorted = inOrder(names)
    this.#orders[depth] = { names, sorted }
    return sorted
  }

  #instance(value: object, prototype: object | null, depth: number): void {
    const codec = this.#options.codecs?.find((codec) => codec.test(value))
    if (codec !== undefined) {
      this.#raw('{"$codec":[')
      this.#string(codec.name)
      this.#byte(comma)
      this.#value(codec.encode(value))
      return this.#raw(']}')
    }
    const name = nameOf(prototype)
    const tag = Object.prototype.toString.call(value).slice(8, -1)
    // Both agree for what is built in, in any realm, and not for a class that extends it, which may hold more.
    if (name === tag || (name === 'Buffer' && tag === 'Uint8Array')) {
      if (ArrayBuffer.isView(value))
        return this.#binary(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), tag)
      if (tag === 'ArrayBuffer') return this.#binary(new Uint8Array(value as ArrayBuffer), tag)
      if (tag === 'Map') return this.#map(value as Map<unknown, unknown>, depth)
      if (tag === 'Set') return this.#set(value as Set<unknown>, depth)
      if (tag === 'Date') return this.#date(value as Date)
      if (tag === 'URL') return this.#raw(`{"$url":${JSON.stringify((value as URL).href)}}`)
      if (tag === 'RegExp') {
        this.#raw('{"$re":[')
        this.#string((value as RegExp).source)
        return this.#raw(`,"${(value as RegExp).flags}"]}`)
      }
    }
    const method = hasToJSON(value)
    if (method && this.#options.allowToJSON) return this.#value(value.toJSON())
    this.#refuse(
      typeof value === 'function' ? 'is a function' : `is an instance of ${name || 'a class'}`,
      remedyFor(tag) ??
        `pick the fields that matter, leave it out, ${method ? 'set allowToJSON, ' : ''}or register a codec`,
    )
  }

  #date(date: Date): void {
    if (Number.isNaN(date.getTime())) this.#refuse('is an invalid date', 'give null in its place')
    this.#raw(`{"$date":"${date.toISOString()}"}`)
  }

  #binary(bytes: Uint8Array, type: string): void {
    this.#raw(`{"$bytes":"${sha256(bytes, 'hex')}","t":"${type}"}`)
  }

  #map(map: Map<unknown, unknown>, depth: number): void {
    this.#unordered('map', map, (pair, i) => {
      const [key, value] = pair as [unknown, unknown]
      this.#at[depth] = ['keys', i]
      this.#byte(openBracket)
      this.#value(key)
      this.#at[depth] = ['values', i]
      this.#byte(comma)
      this.#value(value)
      this.#byte(closeBracket)
    })
  }

  #set(set: Set<unknown>, depth: number): void {
    this.#unordered('set', set, (value, i) => {
      this.#at[depth] = ['values', i]
      this.#value(value)
    })
  }

  /** Writes the parts, sorted by what `write` makes of each. */
  #unordered(tag: string, parts: Iterable<unknown>, write: (part: unknown, i: number) => void): void {
    this.#raw(`{"$${tag}":[`)
    this.#flush()
    const outer = this.#text
    const left = this.#left
    const texts: string[] = []
    for (const part of parts) {
      this.#text = ''
      write(part, texts.length)
      this.#flush()
      texts.push(this.#text)
    }
    this.#text = outer
    this.#left = left
    this.#raw(`${texts.toSorted().join(',')}]}`)
  }

  #string(text: string): void {
    if (text.length < short) {
      this.#reserve(short + 1)
      const page = this.#page
      const start = this.#length
      page[start] = quote
      let i = 0
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 0x7f || escapes[unit] !== 0) break
        page[start + 1 + i] = unit
      }
      if (i === text.length) {
        page[start + 1 + i] = quote
        this.#length = start + i + 2
        return
      }
    }
    this.#wellFormed(text)
    this.#byte(quote)
    for (let rest = text; rest !== '';) {
      const { read, written } = encoder.encodeInto(rest, piece)
      this.#escaped(written)
      rest = rest.slice(read)
    }
    this.#byte(quote)
  }

  /** Writes the beginning of `piece` as the inside of a JSON string. */
  #escaped(count: number): void {
    this.#reserve(longestEscape * count)
    const from = piece
    const to = this.#page
    const table = escapes
    let at = this.#length
    const fours = this.#pageInFours
    for (let i = 0; i < count; i++) {
      for (; i + 4 <= count; i += 4) {
        const four = pieceInFours.getInt32(i, true)
        if (mayNeedEscapes(four)) break
        fours.setInt32(at, four, true)
        at += 4
      }
      if (i === count) break
      const byte = from[i]!
      const escape = table[byte]!
      if (escape === 0) to[at++] = byte
      else {
        to[at++] = backslash
        to[at++] = escape
        if (escape === unicode) {
          const code = byte.toString(16).padStart(4, '0')
          for (let j = 0; j < 4; j++) to[at++] = code.charCodeAt(j)
        }
      }
    }
    this.#length = at
  }

  #wellFormed(text: string): void {
    if (!isWellFormed(text)) this.#refuse('has a lone surrogate', 'give well-formed text')
  }

  #raw(text: string): void {
    if (text.length < short) {
      this.#reserve(short)
      const page = this.#page
      const start = this.#length
      let i = 0
      for (; i < text.length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 0x7f) break
        page[start + i] = unit
      }
      if (i === text.length) {
        this.#length = start + i
        return
      }
    }
    for (let rest = text; rest !== '';) {
      this.#reserve(4 * short)
      const { read, written } = encoder.encodeInto(rest, this.#page.subarray(this.#length))
      this.#length += written
      rest = rest.slice(read)
    }
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#page[this.#length++] = byte
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#page.length) this.#flush()
  }

  #flush(): void {
    const bytes = this.#spend()
    if (this.#text !== undefined) this.#text += decoder.decode(bytes)
    else (this.#hash ??= createSha256()).update(bytes)
  }

  /** Empties the page, and gives what was on it. */
  #spend(): Uint8Array {
    const bytes = this.#page.subarray(0, this.#length)
    this.#left -= this.#length
    this.#length = 0
    if (!(this.#left >= 0)) {
      const { maxBytes = 1_048_576 } = this.#options
      this.#refuse(
        `takes the canonical form past maxBytes (${maxBytes})`,
        'pick fewer fields, or digest a long one first',
      )
    }
    return bytes
  }

  #refuse(problem: string, remedy: string, cause?: unknown): never {
    // Whatever was met first, in a circle that is the reason.
    const seen = new Map<object, number>()
    for (let i = 0; i < this.#depth; i++) {
      const first = seen.get(this.#open[i]!)
      if (first !== undefined) {
        const path = this.#path(i)
        throw new CacheKeyError(
          path,
          `${path} is ${this.#path(first)} again, a circular reference: pick the fields that matter`,
        )
      }
      seen.set(this.#open[i]!, i)
    }
    const path = this.#path(this.#depth)
    throw new CacheKeyError(path, `${path} ${problem}: ${remedy}`, cause === undefined ? {} : { cause })
  }

  #path(depth: number): string {
    let path = '$'
    for (let i = 0; i < depth; i++) {
      const at = this.#at[i]
      if (typeof at === 'number') path += `[${at}]`
      else if (typeof at === 'string') path += plainName.test(at) ? `.${at}` : `[${JSON.stringify(at)}]`
      else if (at !== undefined) path += `.${at[0]}()[${at[1]}]`
    }
    return path
  }
}

/**
 * Whether one of four bytes may need a backslash: is less than 0x20, a quote or a backslash. Subtracting sets the
 * highest bit of a byte that is too small for it; those that had it set already do not count. A byte that borrows can
 * make the next one look like that too, and never hides one.
 */
function mayNeedEscapes(four: number): boolean {
  const quotes = four ^ 0x22222222
  const backslashes = four ^ 0x5c5c5c5c
  const low =
    ((four - 0x20202020) & ~four) |
    ((quotes - 0x01010101) & ~quotes) |
    ((backslashes - 0x01010101) & ~backslashes)
  return (low & 0x80808080) !== 0
}

const plainName = /^[A-Za-z_$][\w$]*$/

const nameOf = (prototype: object | null): string | undefined => prototype?.constructor?.name

/** Of an object literal in any realm, of `JSON.parse`, or without a prototype. */
const isPlain = (prototype: object | null): boolean =>
  prototype === Object.prototype ||
  prototype === null ||
  (Object.getPrototypeOf(prototype) === null && nameOf(prototype) === 'Object')

const hasToJSON = (value: object): value is { toJSON(): unknown } =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function'

const isWellFormed = (text: string): boolean =>
  (text as unknown as { isWellFormed(): boolean }).isWellFormed()

/** By UTF-16 code units. A few names are in order sooner than a call of `sort` returns. */
function inOrder(names: readonly string[]): readonly string[] {
  if (names.length > 16) return names.toSorted()
  const sorted = [...names]
  for (let i = 1; i < sorted.length; i++) {
    const name = sorted[i]!
    let j = i
    for (; j > 0 && sorted[j - 1]! > name; j--) sorted[j] = sorted[j - 1]!
    sorted[j] = name
  }
  return sorted
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** What to do about a value of a kind that people do meet. */
function remedyFor(tag: string): string | undefined {
  if (tag === 'Promise') return 'await it first'
  if (tag === 'Blob' || tag === 'File') return 'await its bytes first'
  if (tag === 'ReadableStream') return 'read it first'
  if (tag === 'Error') return 'pick its name and message'
  return undefined
}
