import { defineConfig } from 'vitest/config'
import { resolve, ssr } from '../../vitest.config.js'

/** Looks at the site that was built, in a browser. `pnpm check:site` builds it first; `pnpm test` leaves it out. */
export default defineConfig({
  resolve,
  ssr,
  test: { include: ['test/**/*.built.ts'], testTimeout: 60_000, hookTimeout: 300_000 },
})
