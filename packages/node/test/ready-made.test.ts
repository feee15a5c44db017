import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CachedWorkflowNode, type CacheConfig, defineNode, runNode } from '@flow-cache/node'
import { redisUrl } from '@flow-cache/servers/vitest'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { build } from './outage/step-process.js'
import { info, output } from './results.js'

const redis = (prefix: string) => ({ url: redisUrl(), prefix })

const configs: Readonly<Record<string, (prefix: string) => CacheConfig>> = {
  memory: () => ({ type: 'memory', params: { maxEntries: 10, ttl: '1m' } }),
  redis: (prefix) => ({
    type: 'redis',
    params: { ...redis(prefix), timeouts: { store: '20s' }, leaseTerm: '60s' },
  }),
  multi: (prefix) => ({
    type: 'multi',
    params: {
      memory: { maxEntries: 10 },
      redis: { ...redis(prefix), timeout: '20s' },
      timeouts: { store: '20s' },
      leaseTerm: '60s',
    },
  }),
}

/** A cached node with a cache of this type, and how often it ran. */
function open(cacheConfig: CacheConfig) {
  const runs = { count: 0 }
  const node = defineNode(
    'brief',
    (x: string) => (runs.count++, { x, at: new Date(5), bytes: new Uint8Array([7]) }),
  )
  const cached = new CachedWorkflowNode({
    node,
    cacheConfig,
    scope: ({ workflow }) => workflow.scope!,
    keyGenerator: (x: string) => x.trim(),
  })
  onTestFinished(async () => cached.close())
  return { cached, runs }
}

const acme = { scope: { tenant: 'acme' } }

describe.each(Object.entries(configs))("CachedWorkflowNode of the type '%s'", (type, config) => {
  it('keeps answers by what keyGenerator takes, and apart by scope', async () => {
    const { cached, runs } = open(config(`${randomUUID()}:`))
    const first = await runNode(cached, 'a', acme)
    const hit = await runNode(cached, ' a ', acme)
    expect(info(hit).status).toBe('hit')
    expect(output(hit)).toEqual(output(first))
    await runNode(cached, 'a', { scope: { tenant: 'other' } })
    expect(runs.count).toBe(2)
    expect(cached.getCacheStats()).toMatchObject({ cache: { hits: 1 }, savings: { hits: 1, misses: 2 } })
  })

  it('runs again after clearCache', async () => {
    const { cached, runs } = open(config(`${randomUUID()}:`))
    await runNode(cached, 'a', acme)
    await cached.clearCache()
    await runNode(cached, 'a', acme)
    expect(runs.count).toBe(2)
  })

  it(type === 'memory' ? 'shares with no other' : 'shares with another over the same server', async () => {
    const shared = config(`${randomUUID()}:`)
    const [one, other] = [open(shared), open(shared)]
    await runNode(one.cached, 'a', acme)
    expect(info(await runNode(other.cached, 'a', acme)).status).toBe(type === 'memory' ? 'miss' : 'hit')
    expect(one.runs.count + other.runs.count).toBe(type === 'memory' ? 2 : 1)
  })
})

describe('where a package is not installed', () => {
  beforeAll(build, 120_000)

  /** What each type answers in a folder with core, node and these packages, and nothing else. */
  async function tryWith(...installed: readonly string[]): Promise<Record<string, string>> {
    const folder = await mkdtemp(join(tmpdir(), 'flow-cache-ready-'))
    onTestFinished(async () => rm(folder, { recursive: true, force: true }))
    for (const name of ['core', 'node', ...installed])
      for (const part of ['dist', 'package.json'])
        await cp(
          fileURLToPath(new URL(`../../${name}/${part}`, import.meta.url)),
          join(folder, 'node_modules/@flow-cache', name, part),
          { recursive: true },
        )
    const main = join(folder, 'main.mjs')
    await writeFile(
      main,
      `import { CachedWorkflowNode, defineNode, runNode } from '@flow-cache/node'
      const answers = {}
      for (const type of ['memory', 'redis', 'multi']) {
        const node = defineNode('n', () => 1)
        const cached = new CachedWorkflowNode({ node, scope: 'global', cacheConfig: { type } })
        const { error } = await runNode(cached, 0)
        answers[type] = error.code + ': ' + error.message
      }
      console.log(JSON.stringify(answers))`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [main])
    return JSON.parse(stdout) as Record<string, string>
  }
  const needs = (type: string, name: string, install: string) =>
    `ERR_BACKEND: a cache of the type '${type}' needs ${name}: npm install ${install}`

  it('the node fails, and says what to install', async () => {
    expect(await tryWith()).toEqual({
      memory: needs('memory', '@flow-cache/memory', '@flow-cache/memory'),
      redis: needs('redis', '@flow-cache/redis', '@flow-cache/redis ioredis'),
      multi: needs('multi', '@flow-cache/memory', '@flow-cache/memory'),
    })
  })

  it('ioredis is named, too, where only that is missing', async () => {
    expect(await tryWith('redis')).toMatchObject({
      redis: needs('redis', '@flow-cache/redis', '@flow-cache/redis ioredis'),
    })
  })
})
