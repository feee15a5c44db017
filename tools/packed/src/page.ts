import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from './repository.js'
import { run } from './run.js'

/** A block of a page of the documentation: a file by the name in brackets, or commands. */
interface Block {
  readonly language: string
  readonly file: string | undefined
  readonly text: string
}

const fence = /^```(\w+)(?: \[(.+?)\])?\n([\s\S]*?)^```$/gm

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(join(root, 'docs', page), 'utf8')
  return [...text.matchAll(fence)].map(([, language = '', file, text = '']) => ({ language, file, text }))
}

/** How a page is followed. */
export interface Follow {
  /** Where its first command is run, which makes the folder of the project. */
  readonly parent: string
  /** The folder of the project: the other commands run there, and the files are below it. */
  readonly project: string
  /** What is installed in the place of packages that are not on the registry yet: a tarball by name. */
  readonly instead: Readonly<Record<string, string>>
}

/** Does what a page says, to the letter: writes its files and runs its commands. Resolves to what the last one printed. */
export async function follow(page: string, { parent, project, instead }: Follow): Promise<string> {
  let printed = ''
  for (const { language, file, text } of await blocksOf(page)) {
    if (file !== undefined) {
      await mkdir(dirname(join(project, file)), { recursive: true })
      await writeFile(join(project, file), text)
    } else if (language === 'sh') {
      const command = Object.entries(instead).reduce(
        (all, [name, tarball]) => all.replace(name, tarball),
        text,
      )
      printed = await run('sh', ['-c', command], { cwd: text.startsWith('mkdir') ? parent : project })
    }
  }
  return printed
}
