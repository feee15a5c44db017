import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Problem } from './problem.js'

/** The folder to read: the one that was named, or the nearest `node_modules` upwards. None is a {@link Problem}. */
export function folderOf(named: string | undefined, from: string = process.cwd()): string {
  if (named !== undefined) {
    const folder = resolve(from, named)
    const kind = kindOf(folder)
    if (kind === 'missing') throw new Problem(`There is no folder ${folder}.`)
    if (kind === 'file') throw new Problem(`${folder} is a file; --dir needs a folder.`)
    return folder
  }
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules')
    if (kindOf(candidate) === 'folder') return candidate
    if (folder === dirname(folder)) {
      throw new Problem('There is no node_modules here or above. Name a folder of Markdown with --dir.')
    }
  }
}

function kindOf(path: string): 'folder' | 'file' | 'missing' {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 'missing'
  return found.isDirectory() ? 'folder' : 'file'
}
