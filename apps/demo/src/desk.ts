import type { Cache } from '@flow-cache/core'
import {
  type BaseNode,
  runNode,
  Savings,
  type SavingsReport,
  type Workflow,
  workflow,
  type WorkflowResult,
} from '@flow-cache/node'
import type { Answer, AskOptions } from './answer.js'
import { deskNodes } from './desk-nodes.js'
import type { Document } from './document.js'
import { Following } from './following.js'
import type { Progress } from './pace.js'
import { NotCached } from './problem.js'
import type { Corpus } from './scan.js'
import type { StepName } from './steps.js'

/** What a desk is set up with. */
export interface DeskOptions {
  /** Holds questions, chunks, indexes and briefs, each in a namespace of its own. The desk does not close it. */
  readonly cache: Cache
  /** The folder whose Markdown answers. */
  readonly dir: string
  /** The most documents to read. Default 1,000. */
  readonly maxDocuments?: number | undefined
  /** How many sections a brief is written from. Default 400. */
  readonly passages?: number | undefined
  /** The most sentences in a brief. Default 5. */
  readonly sentences?: number | undefined
  /** Another version of the brief's node than the code's own: nothing else is made anew. */
  readonly briefVersion?: string | undefined
  /**
   * Keeps what a look at the disk found, for as long as its `ttl` says. Default: each question looks. Memory alone:
   * it holds the text of all documents.
   */
  readonly looks?: Cache | undefined
}

/** Answers questions from the Markdown in a folder: a workflow of the nodes in {@link deskNodes}. */
export class Desk {
  /** What caching has brought so far, by node. */
  readonly savings: Savings = new Savings()
  readonly #scan: BaseNode<undefined, Corpus>
  readonly #flow: Workflow

  constructor(options: DeskOptions) {
    const { maxDocuments = 1000, passages = 400, sentences = 5 } = options
    const nodes = deskNodes({ ...options, maxDocuments, passages, sentences, savings: this.savings })
    this.#scan = nodes.find(({ id }) => id === 'scan') as unknown as BaseNode<undefined, Corpus>
    this.#flow = workflow({ id: 'docs-desk', nodes })
  }

  /** Answers a question. One that cannot be answered here is a `Problem`. */
  async ask(text: string, options: AskOptions = {}): Promise<Answer> {
    const { tenant = 'local', mode, signal } = options
    const run = this.#flow.stream(text, {
      scope: { tenant },
      cache: { mode },
      signal,
      variables: { asked: text },
    })
    const following = new Following(options)
    for await (const event of run) {
      following.take(event)
      if (event.type === 'workflow-end' && event.result.status !== 'success') {
        signal?.throwIfAborted()
        throw failureOf(event.result)
      }
    }
    return following.answer(text)
  }

  /** Finds out what there is to ask about. A folder without documentation is a `Problem`. */
  async survey({ signal, onProgress }: AskOptions = {}): Promise<readonly Document[]> {
    const onChunk = (chunk: unknown): void => onProgress?.('scan', (chunk as Progress).progress)
    const result = await runNode(this.#scan, undefined, { signal, onChunk })
    signal?.throwIfAborted()
    if (result.success) return result.output.documents
    throw result.error.cause
  }

  /** What caching each node has brought, in the order they run. */
  reports(): readonly (SavingsReport & { readonly name: StepName })[] {
    return this.savings
      .nodes()
      .map((name) => Object.assign({ name: name as StepName }, this.savings.report(name)))
  }
}

function failureOf({ error }: WorkflowResult): unknown {
  if (error?.code === 'CACHE_MISS')
    return new NotCached(
      `Nothing in the cache answers the step "${error.nodeId}". Ask once without --only-if-cached.`,
    )
  return error?.cause ?? new Error(`${error?.nodeId}: ${error?.message}`)
}
