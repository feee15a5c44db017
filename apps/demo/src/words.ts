import { stemmer } from 'stemmer'

const compound = /[\p{L}\p{N}]+(?:[-_.@/][\p{L}\p{N}]+)*/gu
const simple = /\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}+|[\p{Lo}\p{Lt}]+|\p{N}+/gu
const hash = /^(?=.*\d)[0-9a-f]{7,}$/

/** Words that tell nothing about what a text is about, as they stand in questions and sentences. */
const stopWords: ReadonlySet<string> = new Set(
  `a about above after again against all also am an and any are aren as at be because been before being
  below between both but by can cannot could couldn did didn do does doesn doing don down during each
  either else etc ever every few for from further get gets had hadn happen happens has hasn have haven
  having he her here hers him his how however i if in into is isn it its itself just let ll long m many
  may me mean means might more most much must my need neither no nor not now of off often on once one only
  or other our ours out over own per please quite rather re s same shall she should shouldn so some still
  such t than that the their theirs them then there therefore these they this those through thus to too
  under until up upon us use used uses using very via want was wasn way we were weren what when where
  whether which while who whom whose why will with within without won would wouldn yes yet you your yours`.split(
    /\s+/,
  ),
)

const stems = new Map<string, string>()

/**
 * The terms of a text, in order, with repetitions: stemmed words without stop words, and for a compound such as
 * `lru-cache`, `turbo.json` or `maxSize` both its parts and the whole.
 */
export function terms(text: string): string[] {
  const result: string[] = []
  for (const [whole] of text.matchAll(compound)) {
    const parts = whole.match(simple) ?? []
    if (parts.length > 1) {
      const name = whole.toLowerCase()
      if (name.length <= 40 && !hash.test(name) && !isNumber(parts)) result.push(name)
    }
    for (const part of parts) {
      const word = part.toLowerCase()
      if (isTelling(word)) result.push(stem(word))
    }
  }
  return result
}

/** Whether a word says something about what a text is about. */
export function isTelling(word: string): boolean {
  return word.length > 1 && word.length <= 40 && !/^\d/.test(word) && !stopWords.has(word)
}

/** The stem under which all forms of a word are found: `caching`, `cached` and `caches` are `cach`. */
function stem(word: string): string {
  let known = stems.get(word)
  if (known === undefined) {
    known = stemmer(word)
    // Bounded: a corpus has tens of thousands of different words, a hostile one could have any number.
    if (stems.size < 200_000) stems.set(word, known)
  }
  return known
}

function isNumber(parts: readonly string[]): boolean {
  return parts.every((part) => /^\d/.test(part) || part.length === 1)
}
