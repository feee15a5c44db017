import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Question } from './question.js'
import { type Section, targets } from './report.js'

const packages = new URL('../../packages/', import.meta.url)
const here = fileURLToPath(new URL('..', import.meta.url))

const peers = [
  'lru-cache',
  'layered-loader-14',
  'layered-loader-16/core',
  'async-cache-dedupe',
  '@epic-web/cachified',
  'cacheable',
  'cache-manager',
  'bentocache',
]

/** What a package weighs in a bundle. */
export const size: Question = {
  text: `What does a package weigh in a bundle? Everything it exports, bundled and minified by esbuild. Alone: without the packages it depends on. 1 kB = 1000 bytes.`,

  async ask(): Promise<readonly Section[]> {
    const rows: string[][] = []
    const weights = new Map<string, Weight>()
    for (const folder of await readdir(packages)) {
      const file = fileURLToPath(new URL(`${folder}/dist/index.js`, packages))
      const name = `@flow-cache/${folder}`
      if (!existsSync(file)) {
        rows.push([name, 'not built', '', '', ''])
        continue
      }
      const own = await weigh(file, ['@flow-cache/*', ...(await dependencies(folder))])
      // Nothing is exported yet.
      if (own.minified < 20) continue
      weights.set(folder, own)
      rows.push([name, kB(own.minified), kB(own.gzip), kB(own.brotli), kB((await weigh(file, [])).gzip)])
    }
    const others: string[][] = []
    for (const name of peers) {
      const { minified, gzip, brotli } = await weigh(name, ['ioredis'])
      others.push([name, kB(minified), kB(gzip), kB(brotli)])
    }
    return [
      {
        title: 'The packages of flow-cache',
        head: ['', 'minified, alone', '+ gzip', '+ brotli', 'with all it needs, gzip'],
        rows,
      },
      {
        title: 'Peers, with all they need except a Redis client',
        head: ['', 'minified', '+ gzip', '+ brotli'],
        rows: others,
      },
      targets(
        [
          { folder: 'core', what: '@flow-cache/core', limit: 12 },
          { folder: 'memory', what: '@flow-cache/memory, without core and lru-cache', limit: 4 },
        ]
          .filter(({ folder }) => weights.has(folder))
          .map(({ folder, what, limit }) => ({
            what,
            limit,
            unit: ' kB',
            measured: weights.get(folder)!.gzip / 1000,
          })),
      ),
    ]
  },
}

interface Weight {
  readonly minified: number
  readonly gzip: number
  readonly brotli: number
}

async function weigh(module: string, external: readonly string[]): Promise<Weight> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(module)}`, resolveDir: here },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: [...external],
    write: false,
    logLevel: 'silent',
  })
  const code = outputFiles[0]!.contents
  return {
    minified: code.length,
    gzip: gzipSync(code, { level: 9 }).length,
    brotli: brotliCompressSync(code).length,
  }
}

async function dependencies(folder: string): Promise<string[]> {
  const url = new URL(`${folder}/package.json`, packages)
  const { default: manifest } = (await import(url.href, { with: { type: 'json' } })) as {
    default: { dependencies?: Record<string, string>; peerDependencies?: Record<string, string> }
  }
  return Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`
