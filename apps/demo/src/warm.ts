import type { Cache } from '@flow-cache/core'
import { CacheWarmer, type Progress, type WarmReport } from '@flow-cache/warmer'
import type { Desk } from './desk.js'
import { sampleQuestions } from './sample-questions.js'

/** How many questions are answered ahead. */
const many = 6

/**
 * Answers questions that somebody may have, before anybody asks: the documents are split and indexed then, too. With a
 * Redis that has the answers from before, there is nothing to do.
 */
export async function warmDesk(
  cache: Cache,
  desk: Desk,
  how: {
    readonly tenant: string
    readonly signal: AbortSignal
    readonly onProgress: (progress: Progress) => void
  },
): Promise<WarmReport> {
  const { tenant, signal, onProgress } = how
  const questions = sampleQuestions(await desk.survey({ signal }), many)
  await using warmer = new CacheWarmer({
    // What is kept here says only that the question was answered; the answer is with the nodes.
    cache: cache.namespace('warmed').namespace(tenant),
    load: async ({ key, signal: stopped }) => {
      await desk.ask(key, { tenant, signal: stopped })
      return true
    },
    concurrency: 1,
    retry: { attempts: 1 },
  })
  return await warmer.warm(questions, { signal, onProgress })
}
