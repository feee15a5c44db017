import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'node:util'
import { startRedis } from '@flow-cache/servers'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { complaints, writeBlocks } from '../src/compile.js'
import { pageOf, readPages, root } from '../src/pages.js'

const pages = await readPages()
const server = await startRedis()
afterAll(() => server.stop())
const blocks = await writeBlocks(pages, (code) => code.replaceAll('redis://127.0.0.1:6379', server.url))

describe('code', () => {
  it('compiles, on every page', async () => {
    expect(await complaints()).toEqual([])
  }, 120_000)

  it.each(blocks.filter(({ results }) => results.length > 0))(
    'of $name prints what it says',
    async ({ module, results }) => {
      const printed: string[] = []
      const log = vi.spyOn(console, 'log').mockImplementation((...args) => void printed.push(format(...args)))
      try {
        await import(/* @vite-ignore */ module)
      } finally {
        log.mockRestore()
      }
      expect(printed.map((line) => line.replaceAll(/\s+/g, ' '))).toEqual(results)
    },
    30_000,
  )
})

describe('links', () => {
  const anchors = new Map(pages.map((page) => [page.file, page.anchors]))

  it.each(pages.filter(({ links }) => links.length > 0))('of $file lead somewhere', ({ file, links }) => {
    const broken = links.filter(({ to }) => {
      if (/^[a-z]+:/.test(to)) return false
      const [path = '', anchor] = decodeURI(to).split('#')
      const target = path === '' ? file : join(dirname(file), path).replaceAll('\\', '/').replace(/\/$/, '')
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && anchors.get(target)?.has(anchor) !== true
    })
    expect(broken).toEqual([])
  })

  it('are found where they are, and anchors as GitHub makes them', () => {
    const page = pageOf(
      'x.md',
      '# A `b`: c-d\n\n# A b c-d\n\n## Twice\n\n## Twice\n\n[x](y.md#z) ![i](i.png)\n',
    )
    expect([...page.anchors]).toEqual(['a-b-c-d', 'a-b-c-d-1', 'twice', 'twice-1'])
    expect(page.links).toEqual([
      { to: 'y.md#z', line: 9 },
      { to: 'i.png', line: 9 },
    ])
  })
})
