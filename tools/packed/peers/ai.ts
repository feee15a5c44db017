import { major } from 'semver'
import type { Trial } from '../src/trial.js'

/** There is no middleware for embeddings before version 6. */
const embeds = (version: string): boolean => major(version) > 5

/** The provider has a major of its own for each of the SDK's, and the first goes with the first. */
const providerFor = (version: string): string =>
  version.endsWith('.0.0') ? `${major(version) - 4}.0.0` : `${major(version) - 4}`

export const trial: Trial = {
  beside: (version) => [`@ai-sdk/openai-compatible@${providerFor(version)}`, 'zod@4'],
  programs: (version) => (embeds(version) ? ['ai.ts', 'ai-embeddings.ts'] : ['ai.ts']),
  requests: (version) => (embeds(version) ? 4 : 2),
}
