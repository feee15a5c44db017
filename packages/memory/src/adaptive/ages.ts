/** How many steps ages are sorted into: two for each doubling, up to the 2³² requests that are told apart. */
export const steps = 64

/** The step of an age, which is in requests. */
export function stepOf(age: number): number {
  if (age < 2) return age
  const exponent = 31 - Math.clz32(age)
  return 2 * exponent + ((age >>> (exponent - 1)) & 1)
}

/** The least age of a step. */
export function startOf(step: number): number {
  return step < 2 ? step : (2 + (step & 1)) * 2 ** ((step >> 1) - 1)
}
