/** How many keys one call of a store is given: what takes too long for `timeouts.store` as a whole is asked in parts. */
const most = 250

/** How much longer than for one a store may take for each further key, in milliseconds. */
const perKey = 2

/**
 * How long the cache waits for a store's call for so many keys, in milliseconds, where it waits `timeout` for one: the last
 * of them has to wait for the others.
 */
export const timeoutFor = (keys: number, timeout: number): number => timeout + (keys - 1) * perKey

/** The list in order, in parts that one call of a store can be given. */
export function partsOf<T>(list: readonly T[]): readonly (readonly T[])[] {
  if (list.length <= most) return [list]
  const parts: (readonly T[])[] = []
  for (let i = 0; i < list.length; i += most) parts.push(list.slice(i, i + most))
  return parts
}
