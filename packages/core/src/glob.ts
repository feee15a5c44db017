/**
 * Whether `text` matches `glob`, as Redis reads one: `*` any run of characters, `?` any one, `[abc]`, `[a-z]` and
 * `[^a]` one of a set, `\` takes the next character literally. Never backtracks over more than the last `*`, so no
 * pattern takes more than the product of the two lengths.
 */
export function matchGlob(glob: string, text: string): boolean {
  let g = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++
      resume = t
      continue
    }
    const next = g < glob.length ? one(glob, g, text[t]!) : -1
    if (next >= 0) {
      g = next
      t++
    } else if (star >= 0) {
      g = star + 1
      t = ++resume
    } else return false
  }
  while (glob[g] === '*') g++
  return g >= glob.length
}

/** Where the pattern goes on if its element at `g` matches the character, otherwise -1. */
function one(glob: string, g: number, character: string): number {
  const element = glob[g]!
  if (element === '?') return g + 1
  if (element === '\\' && g + 1 < glob.length) return glob[g + 1] === character ? g + 2 : -1
  if (element !== '[') return element === character ? g + 1 : -1
  const negated = glob[g + 1] === '^'
  let found = false
  let i = g + (negated ? 2 : 1)
  for (; i < glob.length && glob[i] !== ']'; i++) {
    if (glob[i] === '\\' && i + 1 < glob.length) i++
    const low = glob[i]!
    let high = low
    if (glob[i + 1] === '-' && i + 2 < glob.length) {
      high = glob[i + 2]!
      i += 2
    }
    found ||= (low <= character && character <= high) || (high <= character && character <= low)
  }
  return found !== negated ? i + 1 : -1
}

/** The glob that matches `text` and nothing else. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
