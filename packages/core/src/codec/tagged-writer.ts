/*
 * Data beyond JSON is written as JSON with tags, and bytes that follow it.
 *
 * A string that begins with `~` is a tag; in data it gets a second one.
 *
 *   "~u" undefined   "~#NaN" "~#Infinity" "~#-Infinity" "~#-0"   "~i-ff" a bigint   "~d1700000000000" a date
 *   "~bUint8Array:12" the next 12 of the bytes, as that   "~f1536" a list of the next 1536 numbers, of 8 bytes each
 *   "~r3" the object with the number 3: they are numbered as they begin, from 0
 *
 * A list that begins with one of these is no list:
 *
 *   ["~m", key, value, …] a map   ["~s", item, …] a set   ["~o", {…}] an object without a prototype
 *   ["~x", length, {…}] a list with holes, or with names beside its items
 */
import { CacheError } from '../errors.js'
import { brands } from './brands.js'
import { isJsonNumber, isMostlyFractions } from './json-data.js'
import { type BinaryKind, kindOf } from './kind-of.js'
import { deepest, foreign, refusal, type Step, stepAt, tooDeep, unreadable } from './refusal.js'

/** A value as JSON with tags, and the bytes that belong to it. */
export interface Tagged {
  readonly text: string
  readonly bytes: readonly Uint8Array[]
}

/** Writes data of every kind. What is no data is a `CacheError`, `ERR_VALUE`, that names the path. */
export function writeTagged(value: unknown, key: string): Tagged {
  const writer = new Writer(key)
  try {
    return { text: JSON.stringify(writer.write(value)), bytes: writer.bytes }
  } catch (cause) {
    if (cause instanceof CacheError) throw cause
    // A getter, a proxy, or the end of the stack.
    throw unreadable(writer.at, key, cause)
  }
}

const tilde = 126

class Writer {
  readonly bytes: Uint8Array[] = []
  /** Where it is now. */
  readonly at: Step[] = []
  readonly #key: string
  /** The objects so far, and their numbers. */
  readonly #numbers = new Map<object, number>()

  constructor(key: string) {
    this.#key = key
  }

  write(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return value.charCodeAt(0) === tilde ? `~${value}` : value
      case 'number':
        return isJsonNumber(value) ? value : `~#${Object.is(value, -0) ? '-0' : value}`
      case 'boolean':
        return value
      case 'undefined':
        return '~u'
      case 'bigint':
        return `~i${value.toString(16)}`
      case 'symbol':
        throw refusal(this.at, 'is a symbol', 'leave it out, or keep its description', this.#key)
      default:
        return value === null ? null : this.#object(value as object)
    }
  }

  #object(value: object): unknown {
    const number = this.#numbers.get(value)
    if (number !== undefined) return `~r${number}`
    const kind = kindOf(value)
    if (kind === undefined) throw foreign(this.at, value, this.#key)
    this.#numbers.set(value, this.#numbers.size)
    const [symbol] = Object.getOwnPropertySymbols(value)
    if (symbol !== undefined) {
      throw refusal(this.at, `has a symbol as a name, ${String(symbol)}`, 'leave it out', this.#key)
    }
    if (this.at.length >= deepest) throw tooDeep(this.at, this.#key)
    switch (kind) {
      case 'Object':
        return this.#properties(value)
      case 'null':
        return ['~o', this.#properties(value)]
      case 'Array':
        return this.#array(value as unknown[])
      case 'Map':
        return this.#map(value as Map<unknown, unknown>)
      case 'Set':
        return this.#set(value as Set<unknown>)
      case 'Date':
        this.#hasNoNames(value)
        return `~d${(value as Date).getTime()}`
      default:
        return this.#binary(value, kind)
    }
  }

  #properties(value: object): unknown {
    const tree: Record<string, unknown> = {}
    for (const name of Object.keys(value)) {
      this.at.push(name)
      const part = this.write((value as Record<string, unknown>)[name])
      this.at.pop()
      if (name !== '__proto__') tree[name] = part
      else Object.defineProperty(tree, name, { value: part, enumerable: true })
    }
    return tree
  }

  #array(items: readonly unknown[]): unknown {
    const isNumbered = Object.keys(items).length === items.length
    if (isNumbered && isMostlyFractions(items)) {
      this.bytes.push(bytesOf(new Float64Array(items as readonly number[])))
      return `~f${items.length}`
    }
    // As many names as items can also be holes and names beside the items.
    if (!isNumbered || !isDense(items)) return ['~x', items.length, this.#properties(items)]
    return items.map((item, i) => this.#part(i, item))
  }

  #map(map: ReadonlyMap<unknown, unknown>): unknown {
    this.#hasNoNames(map)
    const tree: unknown[] = ['~m']
    let i = 0
    Map.prototype.forEach.call(map, (value: unknown, key: unknown) => {
      tree.push(this.#part({ text: `.keys()[${i}]` }, key))
      tree.push(this.#part(stepAt(key, i++), value))
    })
    return tree
  }

  #set(set: ReadonlySet<unknown>): unknown {
    this.#hasNoNames(set)
    const tree: unknown[] = ['~s']
    Set.prototype.forEach.call(set, (item: unknown) => {
      tree.push(this.#part({ text: `.values()[${tree.length - 1}]` }, item))
    })
    return tree
  }

  #binary(value: object, kind: BinaryKind): string {
    const bytes = bytesOf(value as ArrayBuffer | ArrayBufferView)
    if (brands.isSharedArrayBuffer(bytes.buffer)) {
      throw refusal(this.at, 'is a view of a SharedArrayBuffer', 'keep a copy of its bytes', this.#key)
    }
    this.bytes.push(bytes)
    return `~b${kind}:${bytes.length}`
  }

  #part(step: Step, part: unknown): unknown {
    this.at.push(step)
    const tree = this.write(part)
    this.at.pop()
    return tree
  }

  #hasNoNames(value: object): void {
    const [name] = Object.keys(value)
    if (name === undefined) return
    this.at.push(name)
    throw refusal(this.at, 'is a property beside the content', 'keep it beside the object', this.#key)
  }
}

function isDense(items: readonly unknown[]): boolean {
  for (let i = 0; i < items.length; i++) if (items[i] === undefined && !(i in items)) return false
  return true
}

const bytesOf = (value: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)
