import { readManifest, root } from './repository.js'
import type { Compiler, Resolution } from './type-check.js'

/** Node, from the oldest that is promised on. */
export const nodes = ['20.19.0', '22.23.3', '24.21.0', '26.10.0']

/** Where else core and memory run. */
export const others = { bun: '1.4.5', deno: '2.9.6' } as const

/** What a project installs to check types with: the last that is written in JavaScript. */
export const typescript = 'typescript@5.9.3'

const ours = readManifest(root).devDependencies?.['typescript']

/** Every compiler under every way to resolve modules, each with its name in words. */
export const compilers: [string, { compiler: Compiler; resolution: Resolution }][] = (
  ['nodenext', 'bundler'] as const
).flatMap((resolution) => [
  [`${resolution} (${typescript})`, { compiler: 'installed', resolution }],
  [`${resolution} (typescript@${ours})`, { compiler: 'ours', resolution }],
])
