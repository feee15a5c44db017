import type { Trial } from '../src/trial.js'

/** A graph keeps what its nodes answered in a cache of this package's kind. */
export const trial: Trial = {
  beside: (version) => [
    `@langchain/langgraph@${version === '1.0.0' ? '1.0.0' : '1'}`,
    '@langchain/core@1',
    'zod@4',
  ],
  programs: () => ['langchain-langgraph.ts'],
}
