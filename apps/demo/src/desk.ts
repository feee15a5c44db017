import { setImmediate } from 'node:timers/promises'
import { type Cache, keyOf } from '@flow-cache/core'
import { type Brief, briefVersion, writeBrief } from './brief.js'
import { buildIndex, defaultIndexOptions, indexVersion, type SearchIndex } from './build-index.js'
import { chunk, chunkVersion } from './chunk.js'
import type { Chunk, Document, Section } from './document.js'
import { count } from './layout.js'
import type { Pace } from './pace.js'
import { Problem } from './problem.js'
import { lookUp, type Question, readQuestion } from './question.js'
import { rerank } from './rerank.js'
import { retrieve } from './retrieve.js'
import { type Corpus, scan } from './scan.js'
import { type Costed, costed, type Step, type StepName } from './steps.js'
import { suggest } from './suggest.js'

/** What a desk is set up with. */
export interface DeskOptions {
  /** Holds chunks, indexes and briefs, each in a namespace of its own. The desk does not close it. */
  readonly cache: Cache
  /** The folder whose Markdown answers. */
  readonly dir: string
  /** The most documents to read. Default 1,000. */
  readonly maxDocuments?: number
  /** How many sections a brief is written from. Default 400. */
  readonly passages?: number
  /** The most sentences in a brief. Default 5. */
  readonly sentences?: number
}

export interface AskOptions {
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Is told now and then how far a step is. */
  readonly onProgress?: (step: StepName, done: number, total: number) => void
}

/** A brief, and how it came about. */
export interface Answer {
  readonly question: string
  readonly brief: Brief
  readonly steps: readonly Step[]
  readonly corpus: Omit<Corpus, 'documents'> & { readonly documents: number; readonly packages: number }
  readonly ms: number
}

/**
 * Answers questions from the Markdown in a folder, in six steps. Three are dear and go through the cache, and how each
 * is keyed decides when it runs again:
 *
 * - `chunk`, by the content of a file: an edited file is chunked again, and no other.
 * - `index`, by the digest of the whole corpus and the parameters: any edit builds a new one.
 * - `brief`, by the corpus, the question without its wording, and the parameters.
 *
 * `scan` looks at the disk each time, which is how an edit is noticed; `retrieve` and `rerank` take a few milliseconds
 * and would gain nothing.
 */
export class Desk {
  readonly #options: Required<Omit<DeskOptions, 'cache'>>
  readonly #sections: Cache
  readonly #indexes: Cache
  readonly #briefs: Cache

  constructor({ cache, dir, maxDocuments = 1000, passages = 400, sentences = 5 }: DeskOptions) {
    this.#options = { dir, maxDocuments, passages, sentences }
    this.#sections = cache.namespace('sections')
    this.#indexes = cache.namespace('indexes')
    this.#briefs = cache.namespace('briefs')
  }

  /** Answers a question. One that cannot be answered here is a {@link Problem}. */
  async ask(text: string, options: AskOptions = {}): Promise<Answer> {
    const question = readQuestion(text)
    if (question.terms.length === 0) {
      throw new Problem(`"${text}" has no word to look for. Name what you want to know about.`)
    }
    const run = new Run(options)
    const corpus = await this.#scan(run)
    const chunks = await this.#chunk(run, corpus)
    const index = await this.#index(run, corpus, chunks)
    const brief = await this.#brief(run, corpus, index, question, text)
    const { documents, ...counts } = corpus
    const packages = new Set(documents.map((document) => document.package)).size
    return {
      question: text,
      brief,
      steps: run.steps,
      corpus: { ...counts, documents: documents.length, packages },
      ms: run.steps.reduce((sum, { ms }) => sum + ms, 0),
    }
  }

  /** Finds out what there is to ask about. A folder without documentation is a {@link Problem}. */
  async survey(options: AskOptions = {}): Promise<readonly Document[]> {
    return (await this.#scan(new Run(options))).documents
  }

  async #scan(run: Run): Promise<Corpus> {
    const { dir, maxDocuments } = this.#options
    const corpus = await run.plain('scan', (pace) => scan(dir, { maxDocuments, pace }), describe)
    if (corpus.documents.length > 0) return corpus
    const what = corpus.found === 0 ? 'no Markdown files' : 'no Markdown files but licences and the like'
    throw new Problem(`There are ${what} in ${dir}. Name another folder with --dir.`)
  }

  async #chunk(run: Run, { documents }: Corpus): Promise<Chunk[]> {
    const byKey = new Map(documents.map((document) => [sectionsKey(document), document]))
    const started = performance.now()
    let ran = 0
    const kept = await this.#sections.getOrSetMany<Costed<readonly Section[]>>(
      [...byKey.keys()],
      async (missing, { signal }) => {
        const pace = run.pace('chunk', signal)
        const loaded = new Map<string, Costed<readonly Section[]>>()
        for (const key of missing) {
          if (ran % 8 === 0) await pace(ran, missing.length)
          const { text, file } = byKey.get(key) as Document
          const one = await costed(() => chunk(text, file))
          ran++
          loaded.set(key, one)
        }
        await pace(ran, missing.length)
        return loaded
      },
      run.loading,
    )
    const ms = performance.now() - started
    let cost = 0
    const chunks: Chunk[] = []
    for (const [key, { text: _, ...document }] of byKey) {
      const { value, costMs } = kept.get(key) as Costed<readonly Section[]>
      cost += costMs
      for (const section of value) chunks.push({ ...section, document })
    }
    const found = byKey.size - ran
    run.add({
      name: 'chunk',
      from: found === 0 ? 'ran' : ran === 0 ? 'cache' : 'both',
      ms,
      savedMs: found === 0 ? 0 : cost - ms,
      note:
        ran > 0 && found > 0
          ? `${count(ran, 'file')} anew, ${count(found, 'file')} as before`
          : count(byKey.size, 'file'),
    })
    return chunks
  }

  #index(run: Run, { digest }: Corpus, chunks: readonly Chunk[]): Promise<SearchIndex> {
    const key = keyOf({ digest, chunkVersion, indexVersion, ...defaultIndexOptions })
    return run.cached(
      'index',
      this.#indexes,
      key,
      (pace) => buildIndex(chunks, defaultIndexOptions, pace),
      ({ chunks, termIds }) => `${count(chunks.length, 'section')}, ${count(termIds.size, 'term')}`,
    )
  }

  async #brief(
    run: Run,
    { digest }: Corpus,
    index: SearchIndex,
    question: Question,
    text: string,
  ): Promise<Brief> {
    const { passages, sentences } = this.#options
    const query = lookUp(question, index)
    if (query.termIds.length === 0) throw unknownWords(text, index)
    const hits = await run.plain(
      'retrieve',
      () => retrieve(index, query, 1000),
      () => 'not cached: takes less than it would save',
    )
    const best = await run.plain(
      'rerank',
      () => rerank(index, query, hits, passages),
      () => 'not cached either',
    )
    const key = keyOf({ digest, chunkVersion, indexVersion, briefVersion, ...question, passages, sentences })
    return run.cached(
      'brief',
      this.#briefs,
      key,
      (pace) => writeBrief(index, query, best, sentences, pace),
      ({ weighed }) => `LexRank over ${count(weighed, 'sentence')}`,
    )
  }
}

/** One question on its way: gathers what its steps did. */
class Run {
  readonly steps: Step[] = []
  readonly #options: AskOptions

  constructor(options: AskOptions) {
    this.#options = options
  }

  /** Options for a load: who cancels the question no longer waits for it. */
  get loading(): { signal?: AbortSignal } {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }

  add(step: Step): void {
    this.steps.push(step)
  }

  pace(step: StepName, signal = this.#options.signal): Pace {
    return async (done, total) => {
      this.#options.onProgress?.(step, done, total)
      await setImmediate()
      signal?.throwIfAborted()
    }
  }

  /** A step that always runs. */
  async plain<T>(
    name: StepName,
    make: (pace: Pace) => T | Promise<T>,
    note: (value: T) => string,
  ): Promise<T> {
    const { value, costMs } = await costed(() => make(this.pace(name)))
    this.add({ name, from: 'ran', ms: costMs, savedMs: 0, note: note(value) })
    return value
  }

  /** A step that runs if the cache does not have its value. */
  async cached<T>(
    name: StepName,
    cache: Cache,
    key: string,
    make: (pace: Pace) => Promise<T>,
    note: (value: T) => string,
  ): Promise<T> {
    const started = performance.now()
    let ran = false
    const { value, costMs } = await cache.getOrSet<Costed<T>>(
      key,
      ({ signal }) => {
        ran = true
        return costed(() => make(this.pace(name, signal)))
      },
      this.loading,
    )
    const ms = performance.now() - started
    this.add({ name, from: ran ? 'ran' : 'cache', ms, savedMs: ran ? 0 : costMs - ms, note: note(value) })
    return value
  }
}

/** The content decides, and whether it is read as Markdown or as MDX. */
function sectionsKey({ digest, file }: Document): string {
  return `${chunkVersion}:${/\.mdx$/i.test(file) ? 'mdx' : 'md'}:${digest}`
}

function describe({ documents, found, duplicates, older, legal, large, left }: Corpus): string {
  const passed = [
    older > 0 ? `${older} of older versions` : '',
    duplicates > 0 ? count(duplicates, 'duplicate') : '',
    legal > 0 ? count(legal, 'licence') : '',
    large > 0 ? `${large} too large` : '',
    left > 0 ? `${left} over the limit` : '',
  ].filter((part) => part !== '')
  return [`${documents.length} of ${count(found, 'file')}`, ...passed].join(', ')
}

function unknownWords(text: string, index: SearchIndex): Problem {
  const words = suggest(text, index.chunks)
  const listed = words.map(({ word }) => `"${word}"`).join(', ')
  const instead = words.flatMap(({ instead }) => (instead === undefined ? [] : [`"${instead}"`])).join(', ')
  const hint = instead === '' ? 'Ask about one of the packages by name.' : `Did you mean ${instead}?`
  return new Problem(`No document here says anything about ${listed === '' ? `"${text}"` : listed}. ${hint}`)
}
