import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

/** The part of Vite's `build` that is used: Vitest brings it along. */
type Build = (config: {
  root: string
  configFile: false
  logLevel: 'error'
  resolve: { conditions: string[] }
  ssr: { noExternal: true; resolve: { conditions: string[] } }
  build: { ssr: string; outDir: string; emptyOutDir: boolean }
}) => Promise<unknown>

const folder = mkdtempSync(join(tmpdir(), 'flow-cache-memory-'))

beforeAll(async () => {
  const vitest = createRequire(import.meta.url).resolve('vitest/package.json')
  const vite = createRequire(vitest).resolve('vite')
  const { build } = (await import(pathToFileURL(vite).href)) as { build: Build }
  const conditions = ['@flow-cache/source', 'module', 'node']
  await build({
    root: fileURLToPath(new URL('..', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions },
    ssr: { noExternal: true, resolve: { conditions } },
    build: { ssr: 'src/index.ts', outDir: folder, emptyOutDir: true },
  })
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

it('a process with full caches that nobody closed exits by itself', () => {
  const program = `
    import { InMemoryCache, memoryStore, SimpleCache } from './index.js'
    const cache = new InMemoryCache({ ttl: '1h', sweepInterval: '1h' })
    await cache.set('a', 1)
    await cache.namespace('n').set('a', 1, { tags: ['t'] })
    const store = memoryStore({ sweepInterval: '1h' })
    const at = Date.now()
    store.set('a', { value: 1, createdAt: at, staleAt: at + 1e6, expiresAt: at + 1e6, loadMs: 0, tier: 0 })
    new SimpleCache({ ttl: '1h' }).set('a', 1)
    for await (const keys of store.keys.scan('')) console.log(keys.join(), await cache.get('a'))
  `
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'program.js'), program)
  const run = spawnSync(process.execPath, ['program.js'], { cwd: folder, timeout: 20_000, encoding: 'utf8' })
  expect(run).toMatchObject({ signal: null, status: 0, stderr: '', stdout: 'a 1\n' })
})
