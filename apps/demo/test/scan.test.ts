import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scan } from '../src/scan.js'
import { temporaryTree } from './temporary-tree.js'

const manifest = (name: string, version = '1.0.0'): string => JSON.stringify({ name, version })

describe('scan', () => {
  it('finds Markdown of every spelling in a plain folder, and nothing hidden or installed', async () => {
    const root = temporaryTree({
      'README.md': 'one',
      'docs/guide.MDX': 'two',
      'docs/code.js': 'no',
      '.git/x.md': 'no',
      'node_modules/a/README.md': 'no',
    })
    const { documents } = await scan(root)
    expect(documents.map(({ file }) => file)).toEqual(['README.md', 'docs/guide.MDX'])
  })

  it('tells the package and the version, in a nested npm tree too', async () => {
    const root = temporaryTree({
      'node_modules/a/package.json': manifest('a', '1.2.3'),
      'node_modules/a/README.md': 'a',
      'node_modules/a/node_modules/@s/b/package.json': manifest('@s/b', '2.0.0'),
      'node_modules/a/node_modules/@s/b/README.md': 'b',
    })
    const { documents } = await scan(join(root, 'node_modules'))
    expect(documents.map((one) => `${one.package}@${one.version} ${one.file}`).toSorted()).toEqual([
      '@s/b@2.0.0 README.md',
      'a@1.2.3 README.md',
    ])
  })

  it("walks each package of pnpm's store once, however many links lead to it", async () => {
    const root = temporaryTree({
      'node_modules/.pnpm/a@1.0.0/node_modules/a/package.json': manifest('a'),
      'node_modules/.pnpm/a@1.0.0/node_modules/a/README.md': 'a',
      'node_modules/.pnpm/b@1.0.0/node_modules/b/package.json': manifest('b'),
      'node_modules/.pnpm/b@1.0.0/node_modules/b/README.md': 'b',
      'node_modules/.pnpm/b@1.0.0/node_modules/a': { link: 'node_modules/.pnpm/a@1.0.0/node_modules/a' },
      'node_modules/a': { link: 'node_modules/.pnpm/a@1.0.0/node_modules/a' },
    })
    const { documents, found, duplicates } = await scan(join(root, 'node_modules'))
    expect({ packages: documents.map((one) => one.package), found, duplicates }).toEqual({
      packages: ['a', 'b'],
      found: 2,
      duplicates: 0,
    })
  })

  it('a package that is linked from outside counts, and a link to nowhere does not hurt', async () => {
    const root = temporaryTree({
      'packages/mine/package.json': manifest('mine'),
      'packages/mine/README.md': 'mine',
      'app/node_modules/mine': { link: 'packages/mine' },
      'app/node_modules/gone': { link: 'packages/gone' },
    })
    const { documents } = await scan(join(root, 'app/node_modules'))
    expect(documents.map((one) => one.package)).toEqual(['mine'])
  })

  it('the same content counts once, licences not at all', async () => {
    const root = temporaryTree({ 'a.md': 'same', 'b.md': 'same', 'LICENSE.md': 'MIT' })
    expect(await scan(root)).toMatchObject({
      found: 3,
      duplicates: 1,
      legal: 1,
      left: 0,
      documents: [{ file: 'a.md' }],
    })
  })

  it('of several versions of a package the newest counts', async () => {
    const root = temporaryTree({
      'node_modules/a/package.json': manifest('a', '9.2.0'),
      'node_modules/a/README.md': 'nine',
      'node_modules/b/node_modules/a/package.json': manifest('a', '10.0.0'),
      'node_modules/b/node_modules/a/README.md': 'ten',
      'node_modules/c/node_modules/a/package.json': manifest('a', '10.0.0-beta.1'),
      'node_modules/c/node_modules/a/README.md': 'nearly ten',
    })
    const { documents, older } = await scan(join(root, 'node_modules'))
    expect(documents.map(({ version }) => version)).toEqual(['10.0.0'])
    expect(older).toBe(2)
  })

  it('beyond the limit it keeps READMEs before documentation before change logs', async () => {
    const root = temporaryTree({ 'CHANGELOG.md': 'c', 'docs/b.md': 'b', 'README.md': 'a' })
    const { documents, left } = await scan(root, { maxDocuments: 2 })
    expect(documents.map(({ file }) => file)).toEqual(['README.md', 'docs/b.md'])
    expect(left).toBe(1)
  })

  it('pages of what the project asks for come before the READMEs of what it does not', async () => {
    const pages = Object.fromEntries(
      Array.from({ length: 160 }, (_, i) => [`node_modules/asked/docs/${1000 + i}.md`, `page ${i}`]),
    )
    const root = temporaryTree({
      'package.json': JSON.stringify({ devDependencies: { asked: '1.0.0' } }),
      'node_modules/asked/package.json': manifest('asked'),
      'node_modules/asked/README.md': 'asked for',
      'node_modules/asked/CHANGELOG.md': 'what changed',
      'node_modules/other/package.json': manifest('other'),
      'node_modules/other/README.md': 'not asked for',
      ...pages,
    })
    const { documents } = await scan(join(root, 'node_modules'))
    const read = documents.map((one) => `${one.package} ${one.file}`)
    expect(read[0]).toBe('asked README.md')
    expect(read[150]).toBe('asked docs/1149.md')
    // A package of thousands of pages leaves room for the others.
    expect(read[151]).toBe('other README.md')
    expect(read[152]).toBe('asked docs/1150.md')
    expect(read.at(-1)).toBe('asked CHANGELOG.md')
  })

  it('a file that is too large is left out and counted', async () => {
    const root = temporaryTree({ 'small.md': 'a', 'large.md': 'b'.repeat(100) })
    expect(await scan(root, { maxBytes: 50 })).toMatchObject({
      large: 1,
      left: 0,
      documents: [{ file: 'small.md' }],
    })
  })

  it('the digest changes with content and paths, and with nothing else', async () => {
    const root = temporaryTree({ 'a.md': 'one', 'b.md': 'two', 'c.txt': 'x' })
    const { digest } = await scan(root)
    writeFileSync(join(root, 'c.txt'), 'changed')
    expect((await scan(root)).digest).toBe(digest)
    writeFileSync(join(root, 'b.md'), 'TWO')
    const edited = (await scan(root)).digest
    rmSync(join(root, 'b.md'))
    writeFileSync(join(root, 'd.md'), 'TWO')
    const renamed = (await scan(root)).digest
    expect(new Set([digest, edited, renamed]).size).toBe(3)
  })

  it('the digest changes with the version of a package, which sources name', async () => {
    const root = temporaryTree({
      'node_modules/a/package.json': manifest('a', '1.0.0'),
      'node_modules/a/README.md': 'a',
    })
    const { digest } = await scan(join(root, 'node_modules'))
    writeFileSync(join(root, 'node_modules/a/package.json'), manifest('a', '1.0.1'))
    expect((await scan(join(root, 'node_modules'))).digest).not.toBe(digest)
  })

  it('a broken package.json costs the name and not the documents', async () => {
    const root = temporaryTree({ 'node_modules/a/package.json': '{', 'node_modules/a/README.md': 'a' })
    const { documents } = await scan(join(root, 'node_modules'))
    expect(documents).toMatchObject([{ package: 'a', version: '' }])
  })
})
