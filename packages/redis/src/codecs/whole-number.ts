/** An option that is a whole number of at least `least`. Else a `TypeError` or `RangeError` that names it. */
export function wholeNumber(name: string, value: number, least: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} must be a whole number of at least ${least}, got ${value}`)
  }
  return value
}
