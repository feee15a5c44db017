/**
 * Which Redis keys hold what. `|` ends the part that is ours and a prefix may not hold one, so no key of one prefix
 * is ever a key of another, whatever characters the rest has.
 *
 * The log, its counters and the markers of tags share a hash tag: on a Cluster they are in one slot, so that one
 * script can change them together. Entries are spread.
 */
export interface Layout {
  /** Begins the key of every entry. */
  readonly entries: string
  /** Begins the key of every tag's marker. */
  readonly tags: string
  /** The stream of changes. */
  readonly log: string
  /** A hash: `e` the epoch of this data, `n` how many changes were logged, `t` how many of them invalidated tags. */
  readonly meta: string
}

/** The layout under a prefix. One with `|` in it is a `RangeError`. */
export function layoutOf(prefix: string): Layout {
  if (prefix.includes('|')) throw new RangeError(`prefix must not contain '|', got '${prefix}'`)
  return {
    entries: `${prefix}e|`,
    tags: `${prefix}{m}t|`,
    log: `${prefix}{m}l|`,
    meta: `${prefix}{m}m|`,
  }
}

const unusual = /[\ud800-\udfff\ufffe]/
const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\ufffe/g

/**
 * A key as text that survives UTF-8: half of a surrogate pair would become a replacement character, and two keys one.
 * It is written as U+FFFE and its code, and U+FFFE itself likewise.
 */
export function escapeKey(key: string): string {
  if (!unusual.test(key)) return key
  return key.replace(lone, (half) => `\ufffe${half.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The key that was escaped. */
export function unescapeKey(text: string): string {
  if (!text.includes('\ufffe')) return text
  return text.replace(/\ufffe([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
}

/** The longest key that the log names. Of a longer one it tells the beginning, and followers drop all that begin so. */
const longestLogged = 512

/** A change of a key, as the log names it: the key, or the beginning of one too long to repeat. */
export function loggedKey(key: string): readonly ['k' | 'c', string] {
  if (key.length <= longestLogged) return ['k', escapeKey(key)]
  // Not between the halves of a pair.
  const end = /[\ud800-\udbff]/.test(key[longestLogged - 1]!) ? longestLogged - 1 : longestLogged
  return ['c', escapeKey(key.slice(0, end))]
}
