import { InMemoryCache } from '@flow-cache/memory'
import { CacheMetrics } from '@flow-cache/metrics'
import { CacheWarmer } from '@flow-cache/warmer'
import { expect, it } from 'vitest'

it('brings the keys that were read most into a new process', async () => {
  const before = new InMemoryCache()
  const metrics = new CacheMetrics(before.namespace('pages'), { sample: 1 })
  const pages = before.namespace('pages')
  for (const [key, reads] of [
    ['home', 30],
    ['prices', 20],
    ['about', 1],
  ] as const) {
    for (let i = 0; i < reads; i++) await pages.getOrSet(key, () => `page of ${key}`)
  }
  const kept = JSON.stringify(metrics.snapshot())
  await before.close()

  const after = new InMemoryCache()
  const restored = new CacheMetrics(after)
  restored.restore(JSON.parse(kept) as never)
  const cache = after.namespace('pages')
  const warmer = new CacheWarmer({ cache, load: ({ key }) => `page of ${key}` })
  expect(await warmer.warmFromAnalytics(restored, { top: 2 })).toMatchObject({ loaded: 2, failed: 0 })
  expect(await cache.getMany(['home', 'prices', 'about'])).toEqual(
    new Map([
      ['home', 'page of home'],
      ['prices', 'page of prices'],
    ]),
  )
  await warmer.close()
  await after.close()
})
