import { checks } from './vitest.packed.js'

/** What `pnpm check:peers` runs. */
export default checks('peers/*.check.ts', '../servers/src/global-setup.ts')
