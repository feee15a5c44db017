/** How the tag of a name's value begins. */
const valuePrefix = 'value of '

/** The tag of a name's value: its own entry has it, and all that depend on it, however far. Invalidated, all of them end. */
export const valueTag = (name: string): string => valuePrefix + name

/**
 * The tag of what a name depends on: all that depend on the name have it, and its own entry does not. Invalidated when
 * the name comes to depend on more, which the entries below know nothing of.
 */
export const graphTag = (name: string): string => `graph of ${name}`

/** The tags of an entry that depends on those names. */
export function tagsOf(key: string, ancestors: readonly string[]): string[] {
  const tags = [valueTag(key)]
  for (const name of ancestors) tags.push(valueTag(name), graphTag(name))
  return tags
}

/** The names whose values an entry with these tags was made from, its own among them. */
export const namesIn = (tags: readonly string[]): readonly string[] =>
  tags.filter((tag) => tag.startsWith(valuePrefix)).map((tag) => tag.slice(valuePrefix.length))
