import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Asked, Question } from './question.js'
import type { Section } from './report.js'
import { type Summary, summaryOf } from './statistics.js'

const run = promisify(execFile)
const here = fileURLToPath(new URL('..', import.meta.url))
const packages = fileURLToPath(new URL('../../packages', import.meta.url))

const ours = ['core', 'memory', 'redis', 'multilevel', 'strategies', 'warmer', 'metrics', 'node']
const others = ['lru-cache', 'ioredis', 'layered-loader-16', 'cacheable', 'cache-manager', 'bentocache']

/** How long a package takes to import. */
export const start: Question<never> = {
  text: 'How long does `import` of a package take, with all it needs, in a process that has done nothing else? What a function in the cloud pays at each cold start. The files are in the disk cache; flow-cache is packed and installed as from the registry.',

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    const rows: string[][] = []
    const installed = await install()
    for (const name of [...ours.map((folder) => `@flow-cache/${folder}`), ...others]) {
      const from = name.startsWith('@flow-cache/') ? installed : here
      const all: number[] = []
      for (let i = 0; i < rounds + 1; i++) all.push(await timeOfImport(name, from))
      process.stderr.write('.')
      // The first one may have read from the disk.
      rows.push([name, ms(summaryOf(all.slice(1)))])
    }
    await rm(installed, { recursive: true })
    return [
      {
        title: 'Time of `import`',
        head: ['', 'milliseconds'],
        rows,
        note: `The median of ${rounds} processes, in brackets the least and the greatest.`,
      },
    ]
  },
}

/** Packs our packages and installs them into an empty project. */
async function install(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-start-'))
  for (const name of ours) {
    await run('pnpm', ['pack', '--out', join(folder, `${name}.tgz`)], { cwd: join(packages, name) })
  }
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  const files = ours.map((name) => join(folder, `${name}.tgz`))
  await run('npm', ['install', '--no-audit', '--no-fund', ...files], { cwd: folder })
  return folder
}

async function timeOfImport(name: string, from: string): Promise<number> {
  const code = `const began = performance.now(); await import(${JSON.stringify(name)}); process.stdout.write(String(performance.now() - began)); process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: from })
  return Number(stdout)
}

const ms = ({ median, min, max }: Summary): string =>
  `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`
