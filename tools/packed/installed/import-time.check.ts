import { join } from 'node:path'
import { beforeAll, expect, inject, it } from 'vitest'
import { packedIn } from '../src/pack.js'
import { type Project, project } from '../src/project.js'

const folder = inject('folder')
const packed = await packedIn(folder)
const compared = ['lru-cache', ...packed.map(({ name }) => name)]
const rounds = 7

/** Far above what a slow machine needs: beyond it something is wrong that no noise explains, such as work at import. */
const bound = 500

let app: Project
beforeAll(async () => {
  app = await project(
    join(folder, 'import-time'),
    packed.map(({ tarball }) => tarball),
  )
  await app.write(
    'time.js',
    `const begun = process.cpuUsage()
await import(process.argv[2])
const { user, system } = process.cpuUsage(begun)
console.log((user + system) / 1000)
`,
  )
})

it('importing any package takes a fraction of a second; beside lru-cache it takes', async ({ annotate }) => {
  const times = new Map<string, number[]>(compared.map((name) => [name, []]))
  // In turns, so that a machine that slows down slows all of them.
  for (let round = 0; round < rounds; round++)
    for (const [name, taken] of times) taken.push(Number(await app.run(process.execPath, ['time.js', name])))

  const median = (name: string): number => times.get(name)?.toSorted((a, b) => a - b)[rounds >> 1] ?? Infinity
  const unit = median('lru-cache')
  for (const name of compared) {
    const ratio = (median(name) / unit).toFixed(1)
    await annotate(`${ratio} times lru-cache: ${name} (${median(name).toFixed(0)} ms of CPU)`)
    expect(median(name), name).toBeLessThan(bound)
  }
})
