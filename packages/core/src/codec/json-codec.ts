import type { Codec } from '../codec.js'
import { CacheError } from '../errors.js'
import { isJsonNumber, jsonOf } from './json-data.js'
import { type Kind, kindOf } from './kind-of.js'
import { deepest, foreign, refusal, type Step, tooDeep, unreadable } from './refusal.js'
import { bytesOf, textOf } from './utf8.js'

/**
 * Keeps what JSON keeps, as the JSON text and nothing else, for whoever reads the same bytes without this library.
 *
 * What would come back different is a `CacheError`, `ERR_VALUE`, that says where: `undefined`, `NaN`, infinities, -0,
 * bigints, dates, maps, sets, bytes, holes, circles. An object that occurs twice comes back as two equal ones.
 */
export const jsonCodec: Codec = {
  name: 'json',

  encode(value: unknown, key: string): Uint8Array {
    return bytesOf(jsonOf(value) ?? checkedJson(value, key))
  },

  decode(bytes: Uint8Array): unknown {
    return JSON.parse(textOf(bytes))
  },
}

function checkedJson(value: unknown, key: string): string {
  const at: Step[] = []
  try {
    new Check(key, at).value(value)
    return JSON.stringify(value)
  } catch (cause) {
    if (cause instanceof CacheError) throw cause
    // A getter or a proxy.
    throw unreadable(at, key, cause)
  }
}

/** How many objects the text may hold, if some are written over and over because others share them. */
const most = 1_000_000

/** Looks for the first part that JSON would change. */
class Check {
  readonly #key: string
  readonly #at: Step[]
  /** How many objects the text of each object holds; 0 while it is being looked at. */
  readonly #counts = new Map<object, number>()

  constructor(key: string, at: Step[]) {
    this.#key = key
    this.#at = at
  }

  /** How many objects the text of the value holds. */
  value(value: unknown): number {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return 0
      case 'number':
        if (isJsonNumber(value)) return 0
        return this.#refuse(`is ${Object.is(value, -0) ? '-0' : value}`, 'give null or a string in its place')
      case 'undefined':
        return this.#refuse('is undefined', 'leave it out, or give null in its place')
      case 'bigint':
        return this.#refuse('is a bigint', 'give its text in its place')
      case 'symbol':
        return this.#refuse('is a symbol', 'leave it out, or keep its description')
      default:
        return value === null ? 0 : this.#object(value as object)
    }
  }

  #object(value: object): number {
    const known = this.#counts.get(value)
    if (known === 0) this.#refuse('is part of itself', 'keep a name of it in its place')
    if (known !== undefined) return known
    const kind = kindOf(value)
    if (kind === undefined) throw foreign(this.#at, value, this.#key)
    if (kind !== 'Object' && kind !== 'Array') this.#refuse(...problemOf(kind))
    const [symbol] = Object.getOwnPropertySymbols(value)
    if (symbol !== undefined) this.#refuse(`has a symbol as a name, ${String(symbol)}`, 'leave it out')
    if (this.#at.length >= deepest) throw tooDeep(this.#at, this.#key)
    this.#counts.set(value, 0)
    const count = 1 + (kind === 'Array' ? this.#items(value as unknown[]) : this.#properties(value))
    if (count > most) this.#refuse(`holds more than ${most} objects`, 'pick fewer fields')
    this.#counts.set(value, count)
    return count
  }

  #properties(value: object): number {
    let count = 0
    for (const name of Object.keys(value)) {
      this.#at.push(name)
      count += this.value((value as Record<string, unknown>)[name])
      this.#at.pop()
    }
    return count
  }

  #items(items: readonly unknown[]): number {
    let count = 0
    for (let i = 0; i < items.length; i++) {
      this.#at.push(i)
      // A hole is undefined too.
      count += this.value(items[i])
      this.#at.pop()
    }
    if (Object.keys(items).length !== items.length) {
      this.#at.push(Object.keys(items)[items.length]!)
      this.#refuse('is a property beside the items', 'keep it beside the list')
    }
    return count
  }

  #refuse(problem: string, remedy: string): never {
    throw refusal(this.#at, problem, `${remedy}, or use plainCodec`, this.#key)
  }
}

function problemOf(kind: Exclude<Kind, 'Object' | 'Array'>): [problem: string, remedy: string] {
  switch (kind) {
    case 'null':
      return ['has no prototype', 'copy it, { ...it }']
    case 'Date':
      return ['is a Date', 'give its toISOString() in its place']
    case 'Map':
    case 'Set':
      return [`is a ${kind}`, 'give a list of what is in it']
    default:
      return [`is binary, ${kind}`, 'give it as base64']
  }
}
