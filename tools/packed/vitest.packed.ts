import type { ViteUserConfig } from 'vitest/config'

const conditions = ['@flow-cache/source', 'node', 'development|production']

/** How checks of packed packages run: like tests, with minutes instead of seconds. The packages have to be built. */
export const checks = (include: string, ...globalSetup: string[]): ViteUserConfig => ({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [include],
    reporters: ['verbose', '../../scripts/plain-reporter.ts'],
    setupFiles: ['../../scripts/end-with-run.ts'],
    globalSetup: ['./src/pack-once.ts', ...globalSetup],
    maxWorkers: 2,
    maxConcurrency: 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
