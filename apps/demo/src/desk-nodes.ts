import type { Cache } from '@flow-cache/core'
import {
  type Asked,
  type BaseNode,
  cacheMap,
  cacheNode,
  defineNode,
  type KeepingOptions,
  type Savings,
} from '@flow-cache/node'
import { briefVersion, writeBrief } from './brief.js'
import { type BriefPart, partsOf } from './brief-parts.js'
import { buildIndex, defaultIndexOptions, indexVersion, type SearchIndex } from './build-index.js'
import { chunk, chunkVersion } from './chunk.js'
import type { Chunk, Document, Section } from './document.js'
import { paceOf } from './pace.js'
import { Problem } from './problem.js'
import { lookUp, type Query, type Question, questionVersion, readQuestion } from './question.js'
import { rerank } from './rerank.js'
import { type Hit, retrieve } from './retrieve.js'
import { type Corpus, scan } from './scan.js'
import type { StepName } from './steps.js'
import { suggest } from './suggest.js'

/** What the nodes of a desk are set up with. */
export interface DeskNodesOptions {
  readonly cache: Cache
  /** Where what caching brings is counted. */
  readonly savings: Savings
  readonly dir: string
  readonly maxDocuments: number
  readonly passages: number
  readonly sentences: number
  readonly briefVersion?: string | undefined
  /** Keeps what a look at the disk found. Absent: each question looks. */
  readonly looks?: Cache | undefined
}

/** The sections of a corpus. */
export interface Chunked extends Omit<Corpus, 'documents'> {
  readonly documents: number
  readonly packages: number
  readonly chunks: readonly Chunk[]
}

/** An index, and the digest of the corpus that it is of. */
export interface Indexed {
  readonly digest: string
  readonly index: SearchIndex
}

/** What was found, best first. */
export interface Retrieved extends Indexed {
  readonly query: Query
  readonly hits: readonly Hit[]
}

/** How many sections are retrieved, for `rerank` to choose from. */
const retrieved = 1000

/**
 * The steps of docs-desk as nodes, in the order they run. How each is keyed decides when it runs again:
 *
 * - `question` reads the question and puts what it is about into the variable of that name. It is cached to show where
 *   that does not pay.
 * - `scan` looks at the disk, which is how an edit is noticed: each time, or for a server every few seconds.
 * - `chunk` keeps the sections of each file, by its content: an edited file is split again, and no other.
 * - `index` is kept by the digest of the whole corpus and its parameters: any edit builds a new one.
 * - `retrieve` and `rerank` take a few milliseconds: they are not cached.
 * - `brief` is kept for each tenant, by the corpus, the question without its wording, and the parameters. It streams.
 *
 * What is keyed by content belongs to everybody who has the content; a brief belongs to whom it was written for.
 */
export function deskNodes(
  options: DeskNodesOptions,
): readonly (BaseNode<never> & { readonly id: StepName })[] {
  const { cache, savings } = options
  const kept = (id: StepName): Pick<KeepingOptions, 'cache' | 'savings' | 'copy'> => ({
    cache: cache.namespace(id),
    savings,
    copy: 'share',
  })

  const question = cacheNode(
    defineNode(
      'question',
      (text: string, { workflow }) => {
        const read = readQuestion(text)
        if (read.terms.length === 0)
          throw new Problem(`"${text}" has no word to look for. Name what you want to know about.`)
        workflow.variables.set('question', read)
        return read
      },
      { version: questionVersion },
    ),
    { ...kept('question'), scope: 'global' },
  )

  const chunked = cacheMap(
    defineNode(
      'chunk',
      async (documents: readonly Document[], context) => {
        const pace = paceOf(context)
        const all: Section[][] = []
        for (const [i, { text, file }] of documents.entries()) {
          if (i % 8 === 0) await pace(i, documents.length)
          all.push(chunk(text, file))
        }
        await pace(1, 1)
        return all
      },
      { version: chunkVersion },
    ),
    {
      ...kept('chunk'),
      scope: 'global',
      items: ({ documents }: Corpus) => documents,
      keyOf: ({ digest, file }) => ({ digest, mdx: /\.mdx$/i.test(file) }),
      assemble: (sections: readonly (readonly Section[])[], corpus): Chunked => ({
        ...corpus,
        documents: corpus.documents.length,
        packages: new Set(corpus.documents.map((document) => document.package)).size,
        chunks: chunksOf(corpus, sections),
      }),
    },
  )

  const index = cacheNode(
    defineNode(
      'index',
      async ({ digest, chunks }: Chunked, context): Promise<Indexed> => ({
        digest,
        index: await buildIndex(chunks, defaultIndexOptions, paceOf(context)),
      }),
      { version: indexVersion, config: { ...defaultIndexOptions, chunkVersion } },
    ),
    { ...kept('index'), scope: 'global', key: ({ input }) => input.digest },
  )

  const brief = cacheNode(
    defineNode(
      'brief',
      async function* ({ index, query, hits }: Retrieved, context): AsyncGenerator<BriefPart> {
        yield* partsOf(await writeBrief(index, query, hits, options.sentences, paceOf(context)))
      },
      {
        version: options.briefVersion ?? briefVersion,
        config: { chunkVersion, indexVersion, passages: options.passages, sentences: options.sentences },
      },
    ),
    {
      ...kept('brief'),
      scope: ({ workflow }) => ({ tenant: String(workflow.scope?.['tenant'] ?? '') }),
      reads: ['question'],
      key: ({ input }) => input.digest,
      tags: ({ result }) =>
        result.success ? packagesOf(result.output as unknown as readonly BriefPart[]) : [],
    },
  )

  return [
    question,
    scanned(options),
    chunked,
    index,
    defineNode('retrieve', ({ digest, index }: Indexed, { workflow }): Retrieved => {
      const query = lookUp(workflow.variables.get<Question>('question')!, index)
      if (query.termIds.length === 0) throw unknownWords(workflow.variables.get<string>('asked')!, index)
      return { digest, index, query, hits: retrieve(index, query, retrieved) }
    }),
    defineNode('rerank', (found: Retrieved): Retrieved => {
      const { index, query, hits } = found
      return { ...found, hits: rerank(index, query, hits, options.passages) }
    }),
    brief,
  ] as unknown as readonly (BaseNode<never> & { readonly id: StepName })[]
}

function chunksOf({ documents }: Corpus, sections: readonly (readonly Section[])[]): Chunk[] {
  const chunks: Chunk[] = []
  for (const [i, { text: _, ...document }] of documents.entries())
    for (const section of sections[i]!) chunks.push({ ...section, document })
  return chunks
}

function scanned({ dir, maxDocuments, looks, savings }: DeskNodesOptions): BaseNode<unknown, Corpus> {
  const node = defineNode('scan', async (_: unknown, context) => {
    const corpus = await scan(dir, { maxDocuments, pace: paceOf(context) })
    if (corpus.documents.length > 0) return corpus
    const what = corpus.found === 0 ? 'no Markdown files' : 'no Markdown files but licences and the like'
    throw new Problem(`There are ${what} in ${dir}. Name another folder with --dir.`)
  })
  if (looks === undefined) return node
  // Looking is no answer: it is done also for those who want nothing made.
  const when = ({ workflow }: Asked): boolean => workflow.cache?.mode !== 'only-if-cached'
  return cacheNode(node, { cache: looks, savings, copy: 'share', scope: 'global', key: () => dir, when })
}

/** The tag of every brief that quotes a package. */
export const tagOf = (name: string): string => `package:${name}`

function packagesOf(parts: readonly BriefPart[]): string[] {
  return [...new Set(parts.flatMap((part) => (part.type === 'source' ? [tagOf(part.package)] : [])))]
}

function unknownWords(text: string, index: SearchIndex): Problem {
  const words = suggest(text, index.chunks)
  const listed = words.map(({ word }) => `"${word}"`).join(', ')
  const instead = words.flatMap(({ instead }) => (instead === undefined ? [] : [`"${instead}"`])).join(', ')
  const hint = instead === '' ? 'Ask about one of the packages by name.' : `Did you mean ${instead}?`
  return new Problem(`No document here says anything about ${listed === '' ? `"${text}"` : listed}. ${hint}`)
}
