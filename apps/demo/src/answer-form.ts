import type { QuestionKind } from './question.js'

const forms: Readonly<Record<QuestionKind, RegExp | undefined>> = {
  definition: /^(\S+ ){1,4}(is|are|means) (an?|the|one|any)\b/i,
  instruction:
    /^(use|set|add|run|call|pass|create|enable|configure|install|define|specify|provide|you can|you must)\b/i,
  reason: /\b(because|since|so that|in order to|due to|reason)\b/i,
  circumstance: /\b(when|whenever|once|if|after|before|until)\b/i,
  other: undefined,
}

const bonus = 1.25

/** How well the form of a sentence suits a kind of question, as a factor: "what is" wants "… is a …", "how do I" "use …". */
export function answerForm(kind: QuestionKind, sentence: string): number {
  return forms[kind]?.test(sentence) === true ? bonus : 1
}
