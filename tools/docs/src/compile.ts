import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Block, type Page, root } from './pages.js'

/** Where blocks stand while they are checked and run: a folder that has every package. */
const folder = join(root, 'tools/docs/.blocks')

/** A block that was written to a file. */
export interface Written extends Block {
  /** The page's file and the block's line. */
  readonly name: string
  readonly module: string
}

/** Writes every block as a module, with `change` made to its code first. */
export async function writeBlocks(
  pages: readonly Page[],
  change: (code: string) => string,
): Promise<readonly Written[]> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const written: Written[] = []
  for (const { file, blocks } of pages) {
    for (const block of blocks) {
      const name = `${file}:${block.line}`
      const module = join(folder, `${name.replaceAll(/[^\w.]/g, '-')}.ts`)
      await writeFile(module, `${change(block.code)}\nexport {}\n`)
      written.push({ ...block, name, module })
    }
  }
  return written
}

/** As a reader has it: strict, and no more than that. */
const config = {
  extends: '../../../tsconfig.base.json',
  compilerOptions: {
    composite: false,
    noEmit: true,
    isolatedDeclarations: false,
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: false,
    lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'],
  },
  include: ['*.ts'],
}

/** What the compiler has to say of the blocks: lines with file, place and message. */
export async function complaints(): Promise<readonly string[]> {
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], (error, stdout, stderr) => {
      if (error !== null && stdout === '') reject(new Error(stderr, { cause: error }))
      else resolve(stdout)
    })
  })
  return output
    .split('\n')
    .filter((line) => line.startsWith('tools/docs/.blocks/') || line.includes('.blocks'))
}
