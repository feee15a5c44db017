import type { Trial } from '../src/trial.js'

export const trial: Trial = { beside: () => ['@langchain/openai@1', 'zod@4'], requests: () => 2 }
