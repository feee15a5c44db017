/*
 * Plain JSON data is written as RFC 8785 says: names sorted by UTF-16 code units, ECMAScript's numbers, no white
 * space. What JSON has no form for is an object whose only or first name is a tag, such as {"$date":"…"}. Names in
 * data that begin with `$` get a second one, so that no data looks like a tag.
 */
import { CacheKeyError, pathStep } from './errors.js'
import { sha256 } from './sha256.js'

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
  return sha256(domain + canonical(value, options), 'base64url')
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
  return new Writer(options).write(value)
}

const domain = 'flow-cache/key/1\0'
const deepest = 500

/** Text that stands in JSON as it is. */
const plainText = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

/** Where in a container: an index, the name of a property, or which of a map's or a set's parts. */
type Step = number | string | readonly [parts: 'keys' | 'values', index: number]

/** A container that is being written, and where in it. */
interface Place {
  readonly container: object
  readonly outer: Place | undefined
  readonly depth: number
  at: Step | undefined
}

class Writer {
  readonly #options: KeyOptions
  readonly #maxBytes: number
  #place: Place | undefined
  /** How many characters were written. Each is a byte or more. */
  #length = 0

  constructor(options: KeyOptions) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? 1_048_576
  }

  write(value: unknown): string {
    try {
      const text = this.#value(value)
      // A character takes three bytes at most.
      if (text.length * 3 > this.#maxBytes) this.#assertFits(new TextEncoder().encode(text).length)
      return text
    } catch (cause) {
      if (cause instanceof CacheKeyError) throw cause
      // A codec, a `toJSON`, a proxy, or the end of the stack.
      return this.#refuse('cannot be read', 'the cause says why', cause)
    }
  }

  #value(value: unknown): string {
    if (typeof value === 'string') return this.#string(value)
    if (typeof value === 'bigint') return this.#raw(`{"$bigint":"${value}"}`)
    if (typeof value === 'symbol') this.#refuse('is a symbol', 'leave it out, or give its description')
    if (typeof value === 'number' && !Number.isFinite(value))
      this.#refuse(`is ${value}`, 'give null or a string in its place')
    if (typeof value === 'function' || (typeof value === 'object' && value !== null))
      return this.#container(value)
    if (value === undefined) return this.#raw('{"$undefined":true}')
    return this.#raw(`${value as number | boolean | null}`)
  }

  /** Counts as it goes: what is too long is refused before all of it is written. */
  #raw(text: string): string {
    this.#length += text.length
    this.#assertFits(this.#length)
    return text
  }

  #assertFits(length: number): void {
    if (!(length <= this.#maxBytes)) {
      this.#refuse(
        `takes the canonical form past maxBytes (${this.#maxBytes})`,
        'pick fewer fields, or digest a long one first',
      )
    }
  }

  #string(text: string): string {
    if (plainText.test(text)) return this.#raw(`"${text}"`)
    // Newer than the library of types.
    if (!(text as unknown as { isWellFormed(): boolean }).isWellFormed())
      this.#refuse('has a lone surrogate', 'give well-formed text')
    return this.#raw(JSON.stringify(text))
  }

  #container(value: object): string {
    const outer = this.#place
    const depth = outer === undefined ? 1 : outer.depth + 1
    const place = (this.#place = { container: value, outer, depth, at: undefined })
    if (depth > deepest) this.#refuse(`is nested deeper than ${deepest} levels`, 'pick fewer fields')
    const prototype = Object.getPrototypeOf(value) as object | null
    const text =
      Array.isArray(value) && (prototype === Array.prototype || nameOf(prototype) === 'Array')
        ? this.#list(value, place)
        : typeof value === 'object' && isPlain(prototype)
          ? this.#object(value, place)
          : this.#instance(value, prototype, place)
    this.#place = outer
    return text
  }

  #list(items: readonly unknown[], place: Place): string {
    let text = this.#raw('[')
    for (let i = 0; i < items.length; i++) {
      place.at = i
      if (i > 0) text += ','
      text += this.#value(items[i])
    }
    return `${text}]`
  }

  #object(object: object, place: Place): string {
    if (this.#options.allowToJSON && hasToJSON(object)) return this.#value(object.toJSON())
    let text = this.#raw('{')
    for (const name of sorted(Object.keys(object))) {
      place.at = name
      const property = Object.getOwnPropertyDescriptor(object, name)
      // A getter is not asked: what it answers may differ from call to call.
      if (property?.get !== undefined || property?.set !== undefined)
        this.#refuse('is a getter', 'give its value')
      if (property?.value === undefined) continue
      if (text !== '{') text += ','
      text += `${this.#string(name[0] === '$' ? `$${name}` : name)}:${this.#value(property.value)}`
    }
    return `${text}}`
  }

  #instance(value: object, prototype: object | null, place: Place): string {
    const codec = this.#options.codecs?.find((codec) => codec.test(value))
    if (codec !== undefined) {
      return `{"$codec":[${this.#string(codec.name)},${this.#value(codec.encode(value))}]}`
    }
    const name = nameOf(prototype)
    const tag = Object.prototype.toString.call(value).slice(8, -1)
    // Both agree for what is built in, in any realm, and not for a class that extends it, which may hold more.
    if (name === tag || (name === 'Buffer' && tag === 'Uint8Array')) {
      if (ArrayBuffer.isView(value) || tag === 'ArrayBuffer') {
        const { buffer = value as ArrayBuffer, byteOffset, byteLength } = value as Partial<ArrayBufferView>
        const bytes = new Uint8Array(buffer, byteOffset, byteLength)
        return this.#raw(`{"$bytes":"${sha256(bytes, 'hex')}","t":"${tag}"}`)
      }
      if (tag === 'Map' || tag === 'Set') {
        // A set's entries are its parts, twice.
        const parts = Array.from((value as Map<unknown, unknown>).entries(), ([key, part], i) => {
          const write = (which: 'keys' | 'values', value: unknown): string => {
            place.at = [which, i]
            return this.#value(value)
          }
          return tag === 'Map' ? `[${write('keys', key)},${write('values', part)}]` : write('values', part)
        })
        return `${this.#raw(`{"$${tag.toLowerCase()}":[`)}${parts.toSorted().join(',')}]}`
      }
      if (tag === 'Date') {
        const date = value as Date
        if (Number.isNaN(date.getTime())) this.#refuse('is an invalid date', 'give null in its place')
        return this.#raw(`{"$date":"${date.toISOString()}"}`)
      }
      if (tag === 'URL') return this.#raw(`{"$url":${JSON.stringify((value as URL).href)}}`)
      if (tag === 'RegExp') {
        const { source, flags } = value as RegExp
        return `{"$re":[${this.#string(source)},"${flags}"]}`
      }
    }
    const method = hasToJSON(value)
    if (method && this.#options.allowToJSON) return this.#value(value.toJSON())
    return this.#refuse(
      typeof value === 'function' ? 'is a function' : `is an instance of ${name || 'a class'}`,
      remedies.get(tag) ??
        `pick the fields that matter, leave it out, ${method ? 'set allowToJSON, ' : ''}or register a codec`,
    )
  }

  #refuse(problem: string, remedy: string, cause?: unknown): never {
    let path = pathOf(this.#place)
    // Whatever was met first, in a circle that is the reason.
    const open: Place[] = []
    for (let place = this.#place; place !== undefined; place = place.outer) open.unshift(place)
    for (const [i, { container, outer }] of open.entries()) {
      const first = open.findIndex((place) => place.container === container)
      if (first === i) continue
      path = pathOf(outer)
      problem = `is ${pathOf(open[first]!.outer)} again, a circular reference`
      remedy = 'pick the fields that matter'
      break
    }
    throw new CacheKeyError(path, `${path} ${problem}: ${remedy}`, cause === undefined ? {} : { cause })
  }
}

function pathOf(place: Place | undefined): string {
  if (place === undefined) return '$'
  const { at } = place
  const step = at === undefined ? '' : typeof at === 'object' ? `.${at[0]}()[${at[1]}]` : pathStep(at)
  return pathOf(place.outer) + step
}

const nameOf = (prototype: object | null): string | undefined => prototype?.constructor?.name

/** Of an object literal in any realm, of `JSON.parse`, or without a prototype. */
const isPlain = (prototype: object | null): boolean =>
  prototype === Object.prototype ||
  prototype === null ||
  (Object.getPrototypeOf(prototype) === null && nameOf(prototype) === 'Object')

const hasToJSON = (value: object): value is { toJSON(): unknown } =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function'

/** What to do about values of a kind that people do meet. */
const remedies: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['Promise', 'await it first'],
  ['Blob', 'await its bytes first'],
  ['File', 'await its bytes first'],
  ['ReadableStream', 'read it first'],
  ['Error', 'pick its name and message'],
])

/** By UTF-16 code units. A few names are in order sooner than a call of `sort` returns. */
function sorted(names: string[]): string[] {
  if (names.length > 16) return names.toSorted()
  for (let i = 1; i < names.length; i++) {
    const name = names[i]!
    let j = i
    for (; j > 0 && names[j - 1]! > name; j--) names[j] = names[j - 1]!
    names[j] = name
  }
  return names
}
