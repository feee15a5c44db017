const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
const abbreviation = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|resp|approx|incl|no|fig|[A-Z])\.\s*$/i

/** Splits a paragraph into sentences; `e.g.` and code such as `a. b` end none. */
export function splitSentences(block: string): string[] {
  const sentences: string[] = []
  let open = ''
  for (const { segment } of segmenter.segment(block)) {
    open += segment
    const inCode = (open.split('`').length - 1) % 2 === 1
    if (inCode || abbreviation.test(open)) continue
    if (open.trim() !== '') sentences.push(open.trim())
    open = ''
  }
  if (open.trim() !== '') sentences.push(open.trim())
  return sentences
}

/**
 * How well a sentence reads on its own, from 0 (cannot be quoted: a fragment, a heading, code, a list of links) to 1.
 * The rules are about form only; whether it answers anything is judged elsewhere.
 */
export function readability(sentence: string): number {
  const words = sentence.split(' ').length
  if (words < 5 || words > 55 || sentence.length > 360) return 0
  if (/[:;,]$/.test(sentence)) return 0 // leads into a list or code that is not quoted
  const prose = sentence.replace(/`[^`]*`/g, '`')
  if (broken.some((pattern) => pattern.test(prose))) return 0
  const letters = prose.match(/\p{L}/gu)?.length ?? 0
  if (letters < prose.length * 0.6) return 0
  let score = /[.!?]["'”)]?$/.test(sentence) ? 1 : 0.6
  if (words < 8) score *= 0.8
  if (words > 40) score *= 0.7 // few such sentences say one thing
  for (const [pattern, factor] of weak) if (pattern.test(prose)) score *= factor
  return score
}

/** Marks of what is no sentence. They look at the text without its code. */
const broken: readonly RegExp[] = [
  /^(?!["'“(*]?[\p{Lu}`])/u, // begins in the middle
  /https?:|www\.|\]\(|<\/?[a-z]|[{}|]|=>|==|→/i, // addresses, markup, code without its quotes
  /\b(?=\w*\d)[0-9a-f]{7,40}\b/, // a commit
  /:\w+:/, // an emoji's name
  /\? [-–—] /, // a table of contents
]

/** Marks of a sentence that says little, or says it only where it stands, and what they leave of its score. */
const weak: readonly (readonly [pattern: RegExp, factor: number])[] = [
  [/\?["'”)]?$/, 0.3],
  [/!$/, 0.7],
  [
    /^(see|read|check out|learn|visit|refer|click|thanks?|for (more|further|full|details|information)|to learn)\b/i,
    0.3,
  ],
  [/^((in|on) )?(this|these) (page|document|guide|section|tutorial)s?\b|^now that you\b/i, 0.3],
  [
    /\b(see|refer to|check out|described|shown|listed) (\S+ ){0,6}(below|above|here|section|docs?|documentation|guide|page)\b/i,
    0.5,
  ],
  [/^(this|that|these|those|it|they|he|she|such|the (former|latter))\b/i, 0.6],
  [
    /^(however|failing that|but|also|so|then|therefore|instead|otherwise|additionally|alternatively|similarly|conversely|here|and|or|thus|second|third|finally|once (you|you've) |in (this|that) case|(if you|by) do(ing)? so|for (example|instance)|as such)\b/i,
    0.6,
  ],
  [/\b(the|this|an?) (\S+ )?(example|snippet|code)\b|\b(following|below|above)\b/i, 0.6],
  [/#\d+|\(@|\bPR\b|\bI('m|'ve|'d|'ll)?\b|\bv?\d+\.\d+\.\d+/, 0.5],
  [/\b(check out|take a look at|as mentioned)\b/i, 0.5],
  [/\b(\w+) \1\b/i, 0.8],
]
