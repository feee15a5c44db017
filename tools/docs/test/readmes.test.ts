import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPages, root } from '../src/pages.js'
import { interfacesOf, readSources } from '../src/sources.js'
import { codeIn, rowsOf } from '../src/tables.js'

const sources = await readSources()
const pages = await readPages()
const read = (file: string) => readFile(join(root, file), 'utf8')
const linksOf = (file: string) => pages.find((page) => page.file === file)!.links.map(({ to }) => to)

describe.each(sources)('the README of $folder', async ({ folder, files, entries }) => {
  const file = `${folder}/README.md`
  const text = await read(file)
  const linked = linksOf(file)
    .map((to) => to.split('#')[0]!)
    .filter((to) => to.endsWith('.md'))
    .map((to) => join(dirname(file), to))
  const near = [text, ...(await Promise.all([...new Set(linked)].map(read)))]

  it('has no more than 120 lines', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(120)
  })

  it('says what it is, how to install and use it, its options, promises, limits, and what is near', () => {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!)
    const wanted = [/^Install$/, /^Use$/, /^(Options|Tiers)/, /^Guarantees$/, /^Limits$/, /^Related$/]
    const order = wanted.map((heading) => headings.findIndex((one) => heading.test(one)))
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  it('links each guarantee to where it is tested', () => {
    const [, guarantees = ''] = /^## Guarantees\n(.*?)^## /ms.exec(text) ?? []
    const items = guarantees.split(/^- /m).slice(1)
    expect(items.length).toBeGreaterThan(0)
    expect(items.filter((item) => !/\]\(\S+\)/.test(item))).toEqual([])
  })

  it('names every option, or a page near it does', () => {
    const missing = optionsOf(files, entries).filter(({ name }) => !isNamed(name, near))
    expect(missing.map(({ of, name }) => `${of}.${name}`)).toEqual([])
  })
})

/** The members of the interfaces of options that anybody can import. */
function optionsOf(files: readonly string[], entries: string): { of: string; name: string }[] {
  return files
    .flatMap(interfacesOf)
    .filter(
      ({ name }) => /(Options|Settings|Timeouts)$/.test(name) && new RegExp(`\\b${name}\\b`).test(entries),
    )
    .flatMap(({ name: of, members }) => [...members.keys()].map((name) => ({ of, name })))
}

/** Whether an option is in a table, or in `code`: alone, with a value, between braces, or with its parent, `a.b`. */
function isNamed(name: string, texts: readonly string[]): boolean {
  const word = new RegExp(`(^|[^\\w$])${name}\\b`)
  return texts.some(
    (text) =>
      rowsOf(text).some(({ cells }) => cells[0]!.code.some((code) => word.test(code))) ||
      codeIn(text).some(
        (code) => code === name || code.startsWith(`${name}: `) || (/[{.]/.test(code) && word.test(code)),
      ),
  )
}

describe.each(['docs', 'docs/decisions'])('%s/README.md', (folder) => {
  it('lists every page beside it', () => {
    const listed = new Set(linksOf(`${folder}/README.md`).map((to) => `${folder}/${to.split('#')[0]}`))
    const all = pages.map(({ file }) => file).filter((file) => dirname(file) === folder)
    expect(all.length).toBeGreaterThan(20)
    expect(all.filter((file) => !listed.has(file) && !file.endsWith('/README.md'))).toEqual([])
  })
})
