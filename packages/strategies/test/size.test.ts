import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { InMemoryCache } from '@flow-cache/memory'
import { SmartCache } from '@flow-cache/strategies'
import { expect, it } from 'vitest'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** The least time of one round, in milliseconds: other work on the machine only ever adds to it. */
async function least(rounds: number, round: () => Promise<unknown>): Promise<number> {
  let found = Infinity
  for (let n = 0; n < rounds; n++) {
    const start = performance.now()
    await round()
    found = Math.min(found, performance.now() - start)
  }
  return found
}

it('a name with ten thousand dependents takes the next one as it took the first, and ends all of them', async () => {
  await using cache = new InMemoryCache({ maxEntries: 100_000 })
  const smart = new SmartCache({ cache, maxDependents: 2_000 })
  let count = 0
  const add = async (): Promise<void> => {
    for (let n = 0; n < 250; n++) await smart.set(`page ${count++}`, count, { dependsOn: ['site'] })
  }
  await add()
  const first = await least(4, add)
  for (let n = 0; n < 30; n++) await add()
  const last = await least(4, add)
  expect(last).toBeLessThan(8 * first)

  const listed = await smart.invalidate('site')
  expect(listed.length).toBeGreaterThan(1_000)
  expect(listed.length).toBeLessThanOrEqual(2_010)
  const left = await cache.getMany(Array.from({ length: count }, (_, n) => `page ${n}`))
  expect(left.size).toBe(0)
}, 60_000)

it('keys that come and go leave nothing behind, beside what the bounds allow', async () => {
  await using cache = new InMemoryCache({ maxEntries: 1_000, maxTags: 2_000 })
  const smart = new SmartCache({ cache })
  let count = 0
  const churn = async (keys: number): Promise<number> => {
    for (const end = count + keys; count < end; count++) {
      await smart.getOrSet(`page ${count}`, () => 'x'.repeat(20) + count, {
        dependsOn: [`part ${count % 5_000}`],
      })
    }
    gc()
    return process.memoryUsage().heapUsed
  }
  const early = await churn(6_000)
  const late = await churn(24_000)
  // What 24,000 keys with two tags each would take is more than ten megabytes.
  expect(late - early).toBeLessThan(4e6)
}, 60_000)

it('a tag that comes when there are as many as there may be costs about what it did before', async () => {
  await using cache = new InMemoryCache({ maxEntries: 1_000, maxTags: 50_000 })
  let count = 0
  const rounds = async (): Promise<number> => {
    const times: number[] = []
    for (let round = 0; round < 20; round++) {
      const start = performance.now()
      for (let n = 0; n < 1_000; n++) await cache.set(`k${count}`, 1, { tags: [`t${count++}`] })
      times.push(performance.now() - start)
    }
    return times.toSorted((one, other) => one - other)[10]!
  }
  const first = await rounds()
  for (let filled = 0; filled < 3; filled++) await rounds()
  expect(await rounds()).toBeLessThan(6 * first)
}, 60_000)
