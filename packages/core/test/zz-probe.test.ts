import { expect, it } from 'vitest'
import { createCache } from '../src/index.js'
import { fakeClock, faultyStore, gate, mapStore, settle } from '../src/testing/index.js'
it('loading of a never-settling load', async () => {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock, timeouts: { load: '1m' }, maxLoads: 1 })
  const p = expect(cache.getOrSet('k', () => new Promise(() => {}))).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
  await clock.advance(60_000); await p
  console.log('PROBE loading', cache.stats().loading, await cache.getOrSet('j', () => 1).catch((e) => e.code))
})
it('failed clear', async () => {
  for (const ns of [false, true]) {
    const clock = fakeClock(); const store = faultyStore(mapStore(clock))
    const root = createCache({ store, clock }); const cache = ns ? root.namespace('n') : root
    await cache.set('k', 'old'); store.fail('reject'); await cache.clear(); store.fail('none')
    console.log('PROBE clear ns', ns, await cache.get('k'))
    await cache.set('k', 'old'); store.fail('reject'); await cache.clearPattern('*'); store.fail('none')
    await clock.advance(2000)
    console.log('PROBE clearPattern ns', ns, await cache.get('k'))
  }
})
it('settle swallows', async () => {
  const clock = fakeClock(); const store = faultyStore(mapStore(clock))
  const cache = createCache({ store, clock, onStoreError: 'throw' })
  let errors = 0; cache.on('error', () => errors++)
  store.fail('reject'); await cache.delete('k').catch(() => {})
  console.log('PROBE settle', await cache.get('k').then(() => 'resolved', (e) => e.code), errors)
})
it('close clears timers of aborted flights', async () => {
  const clock = fakeClock(); const cache = createCache({ store: mapStore(clock), clock })
  const closed = gate()
  const p = cache.getOrSet('k', () => closed.wait()).catch(() => {}); await closed.arrived
  const c = cache.close({ deadline: 10 }); await clock.advance(10); await c; await p
  console.log('PROBE close', clock.pending, cache.stats().loading)
  closed.open(); await settle(); console.log('PROBE close after', clock.pending, cache.stats())
})
