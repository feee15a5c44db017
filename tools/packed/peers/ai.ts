import { major } from 'semver'
import type { Trial } from '../src/trial.js'

/** There is no middleware for embeddings before version 6. */
const embeds = (version: string): boolean => major(version) > 5

export const trial: Trial = {
  // The provider has a major of its own for each of the SDK's.
  beside: (version) => [`@ai-sdk/openai-compatible@${major(version) - 4}`, 'zod@4'],
  programs: (version) => (embeds(version) ? ['ai.ts', 'ai-embeddings.ts'] : ['ai.ts']),
  requests: (version) => (embeds(version) ? 4 : 2),
}
