import type { SearchIndex } from './build-index.js'
import { place } from './embed.js'
import { terms } from './words.js'

/** What kind of answer a question wants. */
export type QuestionKind = 'definition' | 'instruction' | 'reason' | 'circumstance' | 'other'

/**
 * What is left of a question once wording is taken away. Two questions with the same terms and kind get the same
 * answer, so this is what an answer is keyed by.
 */
export interface Question {
  readonly kind: QuestionKind
  /** Its terms in order, each once. */
  readonly terms: readonly string[]
}

/** A question as one index sees it. */
export interface Query {
  readonly kind: QuestionKind
  readonly terms: ReadonlySet<string>
  /** The terms that some document has. */
  readonly termIds: readonly number[]
  readonly weights: readonly number[]
  /** Where the question stands in the space of the chunks. */
  readonly vector: Float32Array
  /** What share of the question's weight the known terms carry, 0 to 1. */
  readonly coverage: number
}

/** Changes whenever the same text would be read in another way. */
export const questionVersion = '1'

const kinds: readonly (readonly [kind: QuestionKind, beginning: RegExp])[] = [
  ['definition', /^what(['’]s| is| are) /i],
  ['instruction', /^(how (do|can|could|should|would|to)|can i|is there a way)\b/i],
  ['reason', /^why\b/i],
  ['circumstance', /^(when|what happens)\b/i],
]

/** Reads a question. One made of nothing but `how`, `the` and the like has no terms. */
export function readQuestion(text: string): Question {
  const kind = kinds.find(([, beginning]) => beginning.test(text.trim()))?.[0] ?? 'other'
  return { kind, terms: [...new Set(terms(text))] }
}

/** Looks a question up in an index. One that no document has a word of has empty `termIds`. */
export function lookUp(question: Question, index: SearchIndex): Query {
  const { termIds: ids, idf } = index
  const termIds = question.terms.map((term) => ids.get(term)).filter((id) => id !== undefined)
  const weights = termIds.map((id) => idf[id]!)
  const weight = weights.reduce((sum, one) => sum + one, 0)
  const missing = question.terms.filter((term) => !ids.has(term) && !isCompound(term)).length
  const rarest = Math.log(1 + index.chunks.length)
  return {
    kind: question.kind,
    terms: new Set(question.terms),
    termIds,
    weights,
    vector: place(index.embedding, termIds, weights),
    coverage: weight === 0 ? 0 : weight / (weight + missing * rarest),
  }
}

/** A compound that no document has is no loss while its parts are known. */
function isCompound(term: string): boolean {
  return /[-_.@/]/.test(term)
}
