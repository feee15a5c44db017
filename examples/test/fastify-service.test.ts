import { createCache } from '@flow-cache/core'
import { fakeClock, gate } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type Catalogue, type Product, productService } from '../src/fastify-service.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const patience = { timeout: 30_000 }

const lamp: Product = { id: 'lamp', name: 'Lamp', cents: 4_000 }

function open() {
  const clock = fakeClock()
  const table = new Map([[lamp.id, lamp]])
  const state = { finds: 0, down: false, hold: undefined as Promise<void> | undefined }
  const catalogue: Catalogue = {
    async find(id) {
      state.finds++
      if (state.down) throw new Error('the database is away')
      const row = table.get(id)
      await state.hold
      return row
    },
    async save(product) {
      table.set(product.id, product)
    },
  }
  const cache = createCache({ store: memoryStore({ clock }), clock })
  const app = productService(cache, catalogue)
  onTestFinished(() => app.close())
  const get = async (id = 'lamp') => {
    const { statusCode, headers, payload } = await app.inject(`/products/${id}`)
    return { status: statusCode, cache: headers['cache-status'], body: payload }
  }
  return { app, cache, clock, state, get }
}

it('a hundred readers cost one load, also of what there is not', async () => {
  const { state, get } = open()
  const answers = await Promise.all(Array.from({ length: 100 }, () => get()))
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([JSON.stringify(lamp)]))
  expect(answers.filter(({ cache }) => cache === 'products; fwd=miss; stored')).toHaveLength(1)
  expect(state.finds).toBe(1)
  expect(await get()).toMatchObject({ status: 200, cache: 'products; hit; ttl=60' })
  await Promise.all([get('nothing'), get('nothing')])
  expect(await get('nothing')).toMatchObject({ status: 404, cache: 'products; hit; ttl=10' })
  expect(state.finds).toBe(2)
})

it('while the database is away the old answer stands in, and what was never seen is an error', async () => {
  const { clock, state, get } = open()
  await get()
  state.down = true
  await clock.advance(60_000 * 60)
  expect(await get()).toEqual({
    status: 200,
    cache: 'products; hit; detail=stale',
    body: JSON.stringify(lamp),
  })
  expect((await get('chair')).status).toBe(500)
  // For ten seconds it is left alone.
  const { finds } = state
  await Promise.all([get(), get()])
  expect(state.finds).toBe(finds)
  state.down = false
  await clock.advance(10_000)
  expect(await get()).toMatchObject({ cache: 'products; fwd=miss; stored' })
})

it('a change is seen by the next reader, also when the old row was being read meanwhile', async () => {
  const { app, state, get } = open()
  const slow = gate()
  state.hold = slow.wait()
  const before = get()
  await expect.poll(() => state.finds, patience).toBe(1)
  state.hold = undefined
  const change = { method: 'PUT', url: '/products/lamp', payload: { name: 'Lantern', cents: 5_000 } } as const
  expect((await app.inject(change)).statusCode).toBe(204)
  slow.open()
  expect((await before).body).toContain('Lamp')
  expect((await get()).body).toContain('Lantern')
  expect(state.finds).toBe(2)
  await app.inject({ method: 'DELETE', url: '/products' })
  expect(await get()).toMatchObject({ cache: 'products; fwd=miss; stored' })
})

it('on close, a request under way has its answer before the cache goes', async () => {
  const { app, cache, state } = open()
  const slow = gate()
  state.hold = slow.wait()
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = fetch(`${address}/products/lamp`)
  await expect.poll(() => state.finds, patience).toBe(1)
  const closed = app.close()
  await expect.poll(() => app.server.listening, patience).toBe(false)
  expect(cache.closed).toBe(false)
  slow.open()
  expect(await (await answer).json()).toEqual(lamp)
  await closed
  expect(cache.closed).toBe(true)
})
