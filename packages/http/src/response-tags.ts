/** How many tags a response may have, and how long each may be. */
const most = 64
const longest = 256

/**
 * The tags a response has by `Cache-Tag` (with commas) and `Surrogate-Key` (with spaces), or `undefined` if they are too
 * many: a response with some of its tags could not be invalidated by the others.
 */
export function tagsOf(headers: Headers): readonly string[] | undefined {
  const listed = (headers.get('cache-tag') ?? '').split(',').map((tag) => tag.trim())
  const keys = (headers.get('surrogate-key') ?? '').split(/[\s,]+/)
  const tags = [...new Set([...listed, ...keys])].filter((tag) => tag !== '')
  return tags.length > most || tags.some((tag) => tag.length > longest) ? undefined : tags
}
