import type { Question } from './question.js'

/** What can be asked. */
export type QuestionName = 'hit' | 'heap' | 'miss' | 'set-get' | 'size'

/** Every question, loaded on demand, so that a process that measures holds little else. */
export const questions: Readonly<Record<QuestionName, () => Promise<Question>>> = {
  hit: async () => (await import('./hit.js')).hit,
  heap: async () => (await import('./heap.js')).heap,
  miss: async () => (await import('./miss.js')).miss,
  'set-get': async () => (await import('./set-get.js')).setGet,
  size: async () => (await import('./size.js')).size,
}
