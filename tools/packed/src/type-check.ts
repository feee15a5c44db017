import { join } from 'node:path'
import type { Project } from './project.js'
import { root } from './repository.js'

/** How a project of somebody else resolves modules. */
export type Resolution = 'nodenext' | 'bundler'

/** Which compiler checks: the one that a project installed, or the one of this repository, which is newer. */
export type Compiler = 'installed' | 'ours'

const ours = join(root, 'node_modules/typescript/bin/tsc')
const installed = 'node_modules/typescript/bin/tsc'

/** What a type check looks at. */
export interface TypeCheck {
  readonly files: readonly string[]
  readonly resolution: Resolution
  readonly compiler?: Compiler
  /** Packages of `@types` that are at hand. Default: none, as in an edge worker. */
  readonly types?: readonly string[]
  /** Where the programs go. Default: nowhere. */
  readonly out?: string
  /** Whether errors in the declarations of others are theirs. Default: `false`. */
  readonly lenient?: boolean
}

/** Checks files of a project as strictly as anybody may, with the declarations of everything that they lead to. */
export async function typeCheck(project: Project, check: TypeCheck): Promise<void> {
  const { files, resolution, compiler = 'installed', types = [], out, lenient = false } = check
  const options = {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'],
    types,
    module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
    moduleResolution: resolution,
    ...(out === undefined ? { noEmit: true } : { outDir: out, rootDir: '.' }),
  }
  const name = `tsconfig.${compiler}.${resolution}.${files[0]}.json`
  await project.write(name, JSON.stringify({ compilerOptions: options, files }))
  await project
    .run(process.execPath, [compiler === 'ours' ? ours : installed, '-p', name, '--pretty', 'false'])
    .catch((error: Error) => {
      const lines = error.message.split('\n').filter((line) => /^\S+\(\d+,\d+\): error/.test(line))
      if (!lenient || lines.length === 0 || lines.some((line) => !theirs.test(line))) throw error
    })
}

/** An error in a declaration that is not ours. */
const theirs = /^node_modules\/(?!@flow-cache\/)/
