/** More than this many headers make as many variants as there are requests. */
const most = 10

/** The request headers that a response depends on, in lower case, sorted; `undefined` if it depends on more than can be said. */
export function varyOf(headers: Headers): readonly string[] | undefined {
  const names = (headers.get('vary') ?? '').toLowerCase().split(',')
  const all = [...new Set(names.map((name) => name.trim()))].filter((name) => name !== '').toSorted()
  return all.includes('*') || all.length > most || all.some((name) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    ? undefined
    : all
}

/** The hashes made so far: most requests have a handful of values, and a hash takes longer than all the rest of a hit. */
const known = new Map<string, string>()
const mostKnown = 1_000
const longest = 1_000

/**
 * Which variant a request asks for: a hash of its headers of these names, `''` without any. Not the headers themselves,
 * which may be secrets: it stands in keys. Spaces around commas make no difference, everything else does.
 */
export async function variantOf(names: readonly string[], headers: Headers): Promise<string> {
  if (names.length === 0) return ''
  const values = names.map((name) => [
    name,
    headers
      .get(name)
      ?.replaceAll(/\s*,\s*/g, ',')
      .trim() ?? null,
  ])
  const text = JSON.stringify(values)
  const before = known.get(text)
  if (before !== undefined) return before
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const variant = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (text.length > longest) return variant
  if (known.size >= mostKnown) known.clear()
  known.set(text, variant)
  return variant
}
