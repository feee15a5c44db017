import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { packedIn } from '../src/pack.js'
import { follow } from '../src/page.js'
import { run } from '../src/run.js'

const folder = inject('folder')

describe('docs/custom-store.md, followed to the letter with core from its tarball', () => {
  const parent = join(folder, 'custom-store')
  const cwd = join(parent, 'flow-cache-files')
  let printed = ''

  beforeAll(async () => {
    await mkdir(parent)
    const core = (await packedIn(folder)).find(({ name }) => name === '@flow-cache/core')
    printed = await follow('custom-store.md', {
      parent,
      project: cwd,
      instead: { '@flow-cache/core': core?.tarball as string },
    })
  })

  it('leads from an empty folder to a green kit', () => {
    expect(Number(/^[#ℹ] pass (\d+)$/m.exec(printed)?.[1])).toBeGreaterThan(30)
    expect(printed).toMatch(/^[#ℹ] fail 0$/m)
  })

  it('leads there with the other runner that it names, too', async () => {
    const test = join(cwd, 'src/file-store.test.ts')
    const text = await readFile(test, 'utf8')
    const changed = text.replace("from 'node:test' // with Vitest: from 'vitest'", "from 'vitest'")
    expect(changed).not.toBe(text)
    await writeFile(test, changed)
    await run('npm', ['install', '--no-audit', '--no-fund', '--save-dev', 'vitest@4'], { cwd })
    // A busy machine is slow, which is no failure of the page.
    expect(await run('npx', ['vitest', 'run', 'src', '--testTimeout=60000'], { cwd })).toMatch(/\d+ passed/)
  })

  it('would publish the store and nothing else', async () => {
    const packed = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd })
    const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }]
    expect(files.map(({ path }) => path).toSorted()).toEqual([
      'dist/file-store.d.ts',
      'dist/file-store.js',
      'package.json',
    ])
  })
})
