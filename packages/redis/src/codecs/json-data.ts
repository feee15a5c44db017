import { deepest } from './refusal.js'

/** From how many items on numbers are better kept as binary. */
export const manyNumbers = 32

/**
 * Whether a value is data that `JSON.parse(JSON.stringify(value))` gives back in every detail, and cheaply: an object
 * that occurs twice would come back as two, and long lists of fractions are written much faster as they are in memory.
 *
 * It is quick and may say no for other reasons, or throw what a getter or a proxy throws. A no is not a refusal.
 */
export function isJsonData(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? isContainer(value, new Set(), 1) : isScalar(value)
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  value === null ||
  (typeof value === 'number' && isJsonNumber(value))

/** JSON has neither `NaN` nor infinities, and writes -0 as 0. */
export const isJsonNumber = (value: number): boolean =>
  Number.isFinite(value) && (value !== 0 || Object.is(value, 0))

function isContainer(value: object, seen: Set<object>, depth: number): boolean {
  if (depth > deepest || seen.has(value)) return false
  seen.add(value)
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  const prototype = Object.getPrototypeOf(value) as unknown
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype || Object.keys(value).length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (!isPart(value[i], seen, depth)) return false
    return !isMostlyFractions(value)
  }
  if (prototype !== Object.prototype) return false
  const record = value as Record<string, unknown>
  for (const name of Object.keys(record)) if (!isPart(record[name], seen, depth)) return false
  return true
}

function isPart(value: unknown, seen: Set<object>, depth: number): boolean {
  return typeof value === 'object' && value !== null ? isContainer(value, seen, depth + 1) : isScalar(value)
}

/** Whether these are nothing but numbers, many, and at least half of them not whole: an embedding, for one. */
export function isMostlyFractions(items: readonly unknown[]): items is readonly number[] {
  if (items.length < manyNumbers) return false
  let whole = 0
  for (const item of items) {
    if (typeof item !== 'number') return false
    if (Number.isInteger(item) && ++whole * 2 > items.length) return false
  }
  return true
}
