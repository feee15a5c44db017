import { checks } from './vitest.packed.js'

/** What `pnpm check:installed` runs. */
export default checks('installed/*.check.ts')
