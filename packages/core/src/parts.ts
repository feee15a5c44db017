/** How many keys one call of a store is given: what takes too long for `timeouts.store` as a whole is asked in parts. */
const most = 500

/** The list in order, in parts that one call of a store can be given. */
export function partsOf<T>(list: readonly T[]): readonly (readonly T[])[] {
  if (list.length <= most) return [list]
  const parts: (readonly T[])[] = []
  for (let i = 0; i < list.length; i += most) parts.push(list.slice(i, i + most))
  return parts
}
