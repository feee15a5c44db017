import { major } from 'semver'
import type { Trial } from '../src/trial.js'

/** Version 1 renamed how a run begins and what it carries. */
export const trial: Trial = {
  beside: () => ['zod@4'],
  programs: (version) => [major(version) === 0 ? 'mastra-core-0.ts' : 'mastra-core.ts'],
  parts: ['mastra-work.ts'],
}
