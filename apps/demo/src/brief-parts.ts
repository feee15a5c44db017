import type { Brief, Source } from './brief.js'

/** One part of a brief on its way to whoever asked: a source before the first sentence from it, and the end last. */
export type BriefPart =
  | ({ readonly type: 'source'; readonly number: number } & Source)
  | { readonly type: 'sentence'; readonly text: string; readonly source: number }
  | { readonly type: 'end'; readonly weighed: number; readonly coverage: number }

/** Takes a brief apart, in reading order. */
export function* partsOf({ sentences, sources, weighed, coverage }: Brief): Generator<BriefPart> {
  let told = 0
  for (const { text, source } of sentences) {
    for (; told < source; told++) yield { type: 'source', number: told + 1, ...sources[told]! }
    yield { type: 'sentence', text, source }
  }
  yield { type: 'end', weighed, coverage }
}

/** Puts the parts together again. */
export function briefOf(parts: Iterable<BriefPart>): Brief {
  const sentences: Brief['sentences'][number][] = []
  const sources: Source[] = []
  let [weighed, coverage] = [0, 0]
  for (const part of parts) {
    if (part.type === 'sentence') sentences.push({ text: part.text, source: part.source })
    else if (part.type === 'end') ({ weighed, coverage } = part)
    else {
      const { package: name, version, file, headings } = part
      sources.push({ package: name, version, file, headings })
    }
  }
  return { sentences, sources, weighed, coverage }
}
