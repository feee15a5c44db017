import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { peersOf } from '../src/needs.js'
import { packedIn, pathsOf } from '../src/pack.js'
import { fileOf } from '../src/peers.js'
import { type Project, project } from '../src/project.js'
import { readManifest, root } from '../src/repository.js'
import { runtime } from '../src/runtime.js'
import { typeCheck } from '../src/type-check.js'
import { compilers, nodes, others, typescript } from '../src/versions.js'

const folder = inject('folder')
const packed = await packedIn(folder)

/** Peers that are at hand: those that npm brings by itself, and the small ones of metrics. */
const small = ['prom-client', '@opentelemetry/api', 'uplot']

/** Every entry of every package, as people write it, and the optional peers it cannot do without that are not at hand. */
const entries = packed.flatMap((one) =>
  pathsOf(one).map((path) => ({
    name: one.name + path.slice(1),
    needs: peersOf(one, path).filter(
      (peer) => one.manifest.peerDependenciesMeta?.[peer]?.optional === true && !small.includes(peer),
    ),
  })),
)
const alone = entries.filter(({ needs }) => needs.length === 0).map(({ name }) => name)

/** A program that imports every entry under a number of its own and prints what each exports. */
const importing = alone.map((name, at) => `import * as entry${at} from '${name}'`).join('\n')
const listing = `[${alone.map((_, at) => `Object.keys(entry${at}).toSorted()`).join(', ')}]`
const requiring = alone.map((name, at) => `import entry${at} = require('${name}')`).join('\n')
const printing = `console.log(JSON.stringify(${listing}))`

describe(`${alone.length} entries of ${packed.length} packages, installed from their tarballs with plain npm`, () => {
  let app: Project
  let names: string[][]

  beforeAll(async () => {
    const versions = readManifest(join(root, 'packages/metrics')).devDependencies
    const peers = small.map((name) => `${name}@${versions?.[name]}`)
    const tarballs = packed.map(({ tarball }) => tarball)
    app = await project(join(folder, 'entries'), [...tarballs, ...peers, typescript, '@types/node@20'])
    await app.add(join(import.meta.dirname, 'programs/every-package.ts'))
    await app.write('entries.ts', `${importing}\n${printing}\n`)
    await app.write('required.cts', `${requiring}\n${printing}\n`)
    const files = ['entries.ts', 'required.cts', 'every-package.ts']
    await typeCheck(app, { files, resolution: 'nodenext', types: ['node'], out: 'out' })
    names = JSON.parse(await app.run(process.execPath, ['out/entries.js'])) as string[][]
  })

  it('exports something from every entry', () => {
    for (const [at, exported] of names.entries()) expect(exported, alone[at]).not.toHaveLength(0)
  })

  it.each(compilers)('has right types under %s', (_, compiler) =>
    typeCheck(app, { ...compiler, files: ['entries.ts', 'every-package.ts'], types: ['node'] }),
  )

  it.each(nodes)('can be imported, required and used on Node %s', async (version) => {
    const { path } = await runtime('node', version)
    expect(JSON.parse(await app.run(path, ['out/entries.js']))).toEqual(names)
    expect(JSON.parse(await app.run(path, ['out/required.cjs']))).toEqual(names)
    expect(await app.run(path, ['out/every-package.js'])).toBe('done\n')
  })

  it('can be used in Bun and in Deno', async () => {
    const bun = await runtime('bun', others.bun)
    const deno = await runtime('deno', others.deno)
    const allowed = ['run', '--allow-all', '--no-remote', '--node-modules-dir=manual']
    expect(await app.run(bun.path, ['out/every-package.js'])).toBe('done\n')
    expect(await app.run(deno.path, [...allowed, 'out/every-package.js'])).toBe('done\n')
  })
})

it('what cannot be imported without a peer is tried beside it by "pnpm check:peers"', () => {
  const trials = readdirSync(join(import.meta.dirname, '../peers'))
  const untried = entries
    .flatMap(({ name, needs }) => needs.map((peer) => ({ name, peer })))
    .filter(({ peer }) => !trials.includes(fileOf(peer)))
  expect(untried).toEqual([])
})
