// What core and memory promise, tried without anything that only some platforms bring.
import { createEntry, keyOf } from '@flow-cache/core'
import { packEntry, unpackEntry } from '@flow-cache/core/codec'
import { fakeClock } from '@flow-cache/core/testing'
import { InMemoryCache, SimpleCache } from '@flow-cache/memory'

/** Tries everything, and resolves to what held. Rejects at the first that did not. */
export async function everything(): Promise<string[]> {
  const held: string[] = []
  const holds = (what: string, condition: boolean): void => {
    if (!condition) throw new Error(`does not hold: ${what}`)
    held.push(what)
  }

  const clock = fakeClock()
  const cache = new InMemoryCache({ maxEntries: 100, ttl: '5m', grace: '1h', clock })
  let loads = 0
  const load = async (): Promise<number> => {
    loads++
    if (loads === 3) throw new Error('the origin is down')
    return loads
  }

  const key = keyOf(['user', { id: 7, on: new Date(0) }])
  const read = (): Promise<number> => cache.getOrSet(key, load, { tags: ['users'] })
  const together = await Promise.all(Array.from({ length: 50 }, read))
  holds('fifty readers cost one load', loads === 1 && together.every((value) => value === 1))

  await cache.invalidateTags(['users'])
  holds('a tag ends an entry', (await cache.get(key)) === undefined && (await read()) === 2)

  await clock.advance(300_001)
  holds('a failing origin is answered with the stale value', (await read()) === 2 && loads === 3)

  let calls = 0
  const double = cache.wrap('double', async (n: number) => (calls++, n * 2))
  holds('a wrapped function runs once', (await double(4)) === 8 && (await double(4)) === 8 && calls === 1)

  const space = cache.namespace('other')
  await space.set('a', null)
  await space.clear()
  holds('a namespace is cleared alone', !(await space.has('a')) && (await double(4)) === 8 && calls === 1)

  const policy = new InMemoryCache({ maxEntries: 10, policy: 'adaptive' })
  for (let n = 0; n < 100; n++) await policy.set(`n${n}`, n)
  let kept = 0
  for (let n = 0; n < 100; n++) if (await policy.has(`n${n}`)) kept++
  holds('memory stays within its bound', kept <= 10 && kept > 0)
  await policy.close()

  const simple = new SimpleCache<string>({ ttl: '1m' })
  simple.set('a', 'b')
  holds('a synchronous cache answers at once', simple.get('a') === 'b')

  const value = {
    at: new Date(3),
    in: new Map([[1, Uint8Array.of(1, 2)]]),
    of: ['é😀', -0, undefined, 2n ** 70n],
  }
  const packed = packEntry(key, createEntry({ value, createdAt: clock.now(), ttl: Infinity }))
  const unpacked = unpackEntry(key, packed)
  const isSame = packEntry(key, unpacked).join() === packed.join()
  const { at, in: map, of } = unpacked.value as typeof value
  const isEqual = at.getTime() === 3 && map.get(1)?.[1] === 2 && Object.is(of[1], -0) && of[3] === 2n ** 70n
  holds('an entry comes back from its bytes', isSame && isEqual && unpacked.expiresAt === Infinity)

  // The platform's own clock and timers, and no clock of ours.
  const real = new InMemoryCache({ ttl: 1 })
  await real.set('a', 1)
  const late = await real.getOrSet('b', () => new Promise<number>((done) => setTimeout(done, 20, 5)), {
    ttl: '1m',
  })
  holds("the platform's clock moves", late === 5 && (await real.get('a')) === undefined)
  await real.close()

  await cache.close()
  const closed = await cache.get(key).then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  )
  holds('a closed cache says so', closed === 'ERR_CLOSED')
  return held
}
