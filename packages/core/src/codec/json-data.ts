import { deepest } from './refusal.js'

/** From how many items on numbers are better kept as binary. */
const manyNumbers = 32

/** More objects than this are not looked at here: a few that hold each other many times would never end. */
const most = 250_000

/**
 * The JSON of a value, if `JSON.parse` gives it back in every detail, and if that is cheap: an object that occurs twice
 * would come back as two, and long lists of fractions are written much faster as they are in memory.
 *
 * It is quick, and has none for other reasons too. That there is none is not a refusal.
 */
export function jsonOf(value: unknown): string | undefined {
  const seen: object[] = []
  try {
    return isPart(value, seen, 0) && !repeats(seen) ? JSON.stringify(value) : undefined
  } catch {
    // A getter or a proxy. Who looks closely says where.
    return undefined
  }
}

/** JSON has neither `NaN` nor infinities, and writes -0 as 0. */
export const isJsonNumber = (value: number): boolean =>
  Number.isFinite(value) && (value !== 0 || Object.is(value, 0))

function isPart(value: unknown, seen: object[], depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return isJsonNumber(value)
    case 'object':
      return value === null || isContainer(value, seen, depth + 1)
    default:
      return false
  }
}

function isContainer(value: object, seen: object[], depth: number): boolean {
  if (depth > deepest || seen.push(value) > most) return false
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  const prototype = Object.getPrototypeOf(value) as unknown
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype || isMostlyFractions(value)) return false
    if (Object.keys(value).length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (!isPart(value[i], seen, depth)) return false
    return true
  }
  if (prototype !== Object.prototype) return false
  // Names that the prototype has are looked at too, if somebody gave it any: that costs no more than a no.
  for (const name in value) if (!isPart((value as Record<string, unknown>)[name], seen, depth)) return false
  return true
}

/** For a few, a set takes longer than looking at all pairs. */
const few = 12

function repeats(objects: readonly object[]): boolean {
  if (objects.length > few) return new Set(objects).size !== objects.length
  for (let i = 1; i < objects.length; i++) if (objects.indexOf(objects[i]!) !== i) return true
  return false
}

/** Whether these are nothing but numbers, many, and at least half of them not whole: an embedding, for one. */
export function isMostlyFractions(items: readonly unknown[]): boolean {
  if (items.length < manyNumbers) return false
  let whole = 0
  // Not `for of`, which takes longer here.
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (typeof item !== 'number') return false
    if (Number.isInteger(item) && ++whole * 2 > items.length) return false
  }
  return true
}
