import { closest, distance } from 'fastest-levenshtein'
import type { Chunk } from './document.js'
import { isTelling } from './words.js'

const word = /\p{L}[\p{L}\p{N}]*/gu

/**
 * For each telling word of a question that no chunk has: a word that the chunks do have and that is written much like
 * it, or `undefined`. Reads all chunks, which takes a moment; meant for questions that cannot be answered.
 */
export function suggest(
  question: string,
  chunks: readonly Chunk[],
): { word: string; instead: string | undefined }[] {
  const asked = new Set(wordsOf(question).filter(isTelling))
  const known = new Set<string>()
  for (const { blocks, headings, document } of chunks) {
    for (const text of [...blocks, ...headings, document.package])
      for (const one of wordsOf(text)) known.add(one)
  }
  const candidates = [...known].filter((one) => one.length > 3)
  return [...asked]
    .filter((one) => !known.has(one))
    .map((one) => {
      const instead = candidates.length === 0 ? one : closest(one, candidates)
      return { word: one, instead: distance(one, instead) <= Math.ceil(one.length / 4) ? instead : undefined }
    })
}

function wordsOf(text: string): string[] {
  return (text.match(word) ?? []).map((one) => one.toLowerCase())
}
