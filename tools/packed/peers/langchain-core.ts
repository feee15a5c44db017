import { minor } from 'semver'
import type { Trial } from '../src/trial.js'

export const trial: Trial = {
  // The newest says that core 1.1 will do, and imports what core 1.1 does not have.
  beside: (version) => [`@langchain/openai@${minor(version) < 2 ? '~1.0.0' : '1'}`, 'zod@4'],
  requests: () => 2,
}
