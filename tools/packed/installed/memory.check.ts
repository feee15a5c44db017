import { join } from 'node:path'
import { startEdgeWorker } from '@flow-cache/servers'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { modulesOf } from '../src/needs.js'
import { packedIn } from '../src/pack.js'
import { type Project, project } from '../src/project.js'
import { type Runtime, runtime } from '../src/runtime.js'
import { typeCheck } from '../src/type-check.js'
import { compilers, nodes, others, typescript } from '../src/versions.js'

const folder = inject('folder')
const packed = (await packedIn(folder)).filter(({ manifest }) =>
  ['@flow-cache/core', '@flow-cache/memory'].includes(manifest.name),
)
const tarballs = packed.map(({ tarball }) => tarball)
const programs = ['everywhere.ts', 'print.ts', 'worker.ts']

describe('core and memory, installed from their tarballs with plain npm', () => {
  it('pull in each other and lru-cache, and nothing else', async () => {
    const small = await project(join(folder, 'memory'), tarballs)
    expect(await small.installed()).toEqual(['@flow-cache/core', '@flow-cache/memory', 'lru-cache'])
  })

  it("import none of Node's modules", () => {
    const modules = packed.flatMap((one) =>
      one.files.filter(({ path }) => path.endsWith('.js')).flatMap(({ path }) => modulesOf(one, path)),
    )
    expect([...new Set(modules)].toSorted()).toEqual(['@flow-cache/core', 'lru-cache'])
  })
})

describe('a program that uses core and memory', () => {
  let app: Project
  let promised: string[]

  beforeAll(async () => {
    app = await project(join(folder, 'everywhere'), [...tarballs, typescript])
    for (const program of programs) await app.add(join(import.meta.dirname, 'programs', program))
    await typeCheck(app, { files: programs, resolution: 'nodenext', out: 'out' })
    promised = JSON.parse(await app.run(process.execPath, ['out/print.js'])) as string[]
  })

  it.each(compilers)("has right types under %s, without Node's types", (_, compiler) =>
    typeCheck(app, { ...compiler, files: programs }),
  )

  const held = async (by: Runtime, ...args: string[]): Promise<void> => {
    expect(JSON.parse(await app.run(by.path, [...args, 'out/print.js']))).toEqual(promised)
  }

  it.each(nodes)('gets from Node %s what it should', async (version) => held(await runtime('node', version)))

  it('gets the same from Bun, and from Deno without a permission', async () => {
    await held(await runtime('bun', others.bun))
    await held(
      await runtime('deno', others.deno),
      'run',
      '--no-remote',
      '--node-modules-dir=manual',
      '--no-prompt',
    )
  })

  it("gets the same from an edge worker that has none of Node's modules", async () => {
    await using worker = await startEdgeWorker(join(app.folder, 'out/worker.js'))
    const answer = await fetch(worker.url)
    expect(await answer.json()).toEqual(promised)
  })
})
