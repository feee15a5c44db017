import { defineConfig } from 'vitest/config'

/** Workspace packages resolve to their sources, so that tests need no build. */
const conditions = ['@flow-cache/source', 'node', 'development|production']

export const resolve = { conditions }
export const ssr = { resolve }

export default defineConfig({
  resolve,
  ssr,
  test: {
    include: ['{packages,apps,tools,examples,bench}/**/*.test.ts'],
    reporters: ['default', './scripts/plain-reporter.ts'],
    setupFiles: ['./scripts/end-with-run.ts'],
    globalSetup: ['./tools/servers/src/global-setup.ts'],
    // A busy machine is slow, which is no failure; what hangs still ends.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    typecheck: {
      enabled: true,
      include: ['packages/*/src/**/*.test-d.ts'],
      tsconfig: './tsconfig.types.json',
      // Those are for `tsc -b`, which checks every package with the platform it promises to run on.
      ignoreSourceErrors: true,
    },
  },
})
