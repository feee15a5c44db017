import type { Trial } from '../src/trial.js'

export const trial: Trial = {
  beside: (version) => [`@openai/agents-openai@${version}`, 'openai@7', 'zod@4'],
  requests: () => 2,
}
