import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DefaultTheme } from 'vitepress'
import { leadTo, root } from './places.js'

type Item = DefaultTheme.SidebarItem

/**
 * What stands beside every page. The documentation's own lists, `docs/README.md` and `docs/decisions/README.md`, say which
 * pages there are, in which order; `reference` is the page that lists those of the reference.
 */
export async function sidebar(reference: string): Promise<Item[]> {
  const groups = itemsOf(await read('docs/README.md'), 'docs/README.md')
  const entries = await allOf(reference)
  return [
    { text: 'Start', link: '/start' },
    ...groups.map(({ text, items }) => ({ text, items, collapsed: false })),
    { text: 'Packages', collapsed: false, items: await packages() },
    { text: 'Reference', collapsed: true, items: entries },
    { text: 'Decisions', collapsed: true, items: await allOf('docs/decisions/README.md') },
  ]
}

/** All that a page lists, under whichever heading. */
async function allOf(file: string): Promise<Item[]> {
  return itemsOf(await read(file), file).flatMap(({ items }) => items)
}

/** The headings of a page as groups, with the first link of each row of their tables, and of each point of their lists. */
export function itemsOf(markdown: string, file: string): Required<Pick<Item, 'text' | 'items'>>[] {
  const groups: { text: string; items: Item[] }[] = []
  for (const line of markdown.split('\n')) {
    const [, heading] = /^## (.+)$/.exec(line) ?? []
    if (heading !== undefined) groups.push({ text: heading, items: [] })
    const [, text, link] = /^(?:\||- ).*?\[([^\]]+)\]\(([^)]+)\)/.exec(line) ?? []
    if (text !== undefined && link !== undefined)
      groups.at(-1)?.items.push({ text: titleOf(text, line), link: leadTo(link, file) })
  }
  return groups.filter(({ items }) => items.length > 0)
}

/** A decision's link is its number, and the question stands beside it. An entry of a package needs no more than its own name. */
const titleOf = (text: string, line: string): string =>
  /^\d+$/.test(text)
    ? `${text} ${line.split('|')[2]?.trim() ?? ''}`.trim()
    : text.replace(/^@flow-cache\//, '')

async function packages(): Promise<Item[]> {
  const folders = (await readdir(join(root, 'packages'))).toSorted()
  return folders.map((folder) => ({ text: folder, link: `/packages/${folder}/` }))
}

const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8')
