import type { Trial } from '../src/trial.js'

export const trial: Trial = { beside: () => ['@langchain/core@1', 'zod@4'] }
