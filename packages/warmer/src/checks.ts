/** A whole number from 1, or a `TypeError` or a `RangeError` that names the option. */
export function checkCount(value: number, name: string): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!(Number.isSafeInteger(value) && value >= 1)) {
    throw new RangeError(`${name} must be a whole number from 1, got ${value}`)
  }
  return value
}

/** A number above 0, or a `TypeError` or a `RangeError` that names the option. */
export function checkPositive(value: number, name: string): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!(value > 0)) throw new RangeError(`${name} must be above 0, got ${value}`)
  return value
}

/** An object with no other properties than those, or a `TypeError`. */
export function checkOptions(options: unknown, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${where} must be an object`)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option '${name}' in ${where}; known are ${known.join(', ')}`)
    }
  }
}

/** A function or nothing, or a `TypeError`. */
export function checkFunction(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`)
}
