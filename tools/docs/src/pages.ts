import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import MarkdownIt from 'markdown-it'
import { anchorOf } from './anchors.js'

/** The repository's folder, with a slash at the end. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

/** One file of Markdown. */
export interface Page {
  /** From the root of the repository. */
  readonly file: string
  /** The anchors of its headings. */
  readonly anchors: ReadonlySet<string>
  readonly links: readonly Link[]
  readonly blocks: readonly Block[]
}

export interface Link {
  readonly to: string
  readonly line: number
}

/** A block of TypeScript. */
export interface Block {
  readonly code: string
  readonly line: number
  /** What it says it prints: what stands behind each `// =>`, in order. */
  readonly results: readonly string[]
}

/** Folders with pages; a `*` stands for each folder there is. */
const folders = ['', 'docs', 'docs/decisions', 'bench', 'examples', 'packages/*', 'apps/*']

/** Every page that users and contributors read. */
export async function readPages(): Promise<readonly Page[]> {
  const files: string[] = []
  for (const folder of folders) {
    const all = folder.endsWith('/*') ? await namesIn(folder.slice(0, -2)) : [folder]
    for (const one of all) for (const name of await namesIn(one)) if (name.endsWith('.md')) files.push(name)
  }
  return Promise.all(files.map(async (file) => pageOf(file, await readFile(root + file, 'utf8'))))
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(root + folder)
  return names.toSorted().map((name) => (folder === '' ? name : `${folder}/${name}`))
}

const markdown = new MarkdownIt({ html: true })

export function pageOf(file: string, text: string): Page {
  const anchors = new Map<string, number>()
  const links: Link[] = []
  const blocks: Block[] = []
  const tokens = markdown.parse(text, {})
  for (const [i, token] of tokens.entries()) {
    const line = (token.map?.[0] ?? 0) + 1
    if (token.type === 'heading_open') note(anchors, anchorOf(tokens[i + 1]!.content))
    if (token.type === 'fence' && token.info.trim() === 'ts')
      blocks.push({ code: token.content, line, results: resultsOf(token.content) })
    for (const child of token.children ?? []) {
      const to = child.attrGet('href') ?? child.attrGet('src')
      if (to !== null) links.push({ to: String(to), line })
    }
  }
  return { file, anchors: new Set(anchors.keys()), links, blocks }
}

function note(anchors: Map<string, number>, name: string): void {
  const often = anchors.get(name) ?? 0
  anchors.set(name, often + 1)
  if (often > 0) anchors.set(`${name}-${often}`, 1)
}

const resultsOf = (code: string): string[] =>
  [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, result]) => result!.trim())
