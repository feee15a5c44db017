import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { expect, it } from 'vitest'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heap(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}

it('a million distinct keys in ten thousand namespaces take no more memory than is promised', async () => {
  const cache = new InMemoryCache({ maxEntries: 100 })
  const metrics = new CacheMetrics(cache, { curve: true, sample: 1 })
  const spaces = Array.from({ length: 10_000 }, (_, i) => `tenant-${i}`)
  const read = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const at = i % 100 === 0 ? cache.namespace(spaces[(i / 100) % spaces.length]!) : cache
      await at.getOrSet(`user:${i}`, () => i)
    }
  }
  await read(2_000)
  const before = heap()
  await read(1_000_000)
  const grown = heap() - before
  expect(grown / 2 ** 20).toBeLessThan(6)
  const { total, caches } = metrics.report()
  expect(total.reads).toBe(1_002_000)
  expect(Object.keys(caches['cache']!.namespaces)).toHaveLength(101)
  expect(metrics.topKeys(10_000)).toHaveLength(1_000)
  expect(metrics.hitRatioCurve({ sizes: [100] })[0]!.hitRatio).toBeLessThan(0.02)
  await cache.close()
}, 120_000)
