import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Asked, Question } from './question.js'
import { type Section } from './report.js'
import { type Summary, summaryOf } from './statistics.js'

const run = promisify(execFile)
const here = fileURLToPath(new URL('..', import.meta.url))

const ours = ['core', 'memory', 'redis', 'multilevel', 'strategies', 'warmer', 'metrics', 'node'].map(
  (name) => `@flow-cache/${name}`,
)
const others = ['lru-cache', 'ioredis', 'layered-loader-16', 'cacheable', 'cache-manager', 'bentocache']

/** How long a package takes to import. */
export const start: Question<never> = {
  text: 'How long does `import` of a package take, with all it needs, in a process that has done nothing else? What a function in the cloud pays at each cold start. The files are in the disk cache.',

  async ask({ rounds }: Asked): Promise<readonly Section[]> {
    const rows: string[][] = []
    for (const name of [...ours, ...others]) {
      const all: number[] = []
      for (let i = 0; i < rounds + 1; i++) all.push(await timeOfImport(name))
      process.stderr.write('.')
      // The first one may have read from the disk.
      rows.push([name, ms(summaryOf(all.slice(1)))])
    }
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

async function timeOfImport(name: string): Promise<number> {
  const code = `const began = performance.now(); await import(${JSON.stringify(name)}); process.stdout.write(String(performance.now() - began)); process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: here })
  return Number(stdout)
}

const ms = ({ median, min, max }: Summary): string =>
  `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`
