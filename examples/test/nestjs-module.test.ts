import { Cache } from '@flow-cache/core'
import { fakeClock, gate } from '@flow-cache/core/testing'
import { memoryStore } from '@flow-cache/memory'
import { type BeforeApplicationShutdown, Inject, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { CacheModule, type Price, PriceList, Prices } from '../src/nestjs-module.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000 })

/** Has a last look at a price, in the phase in which Nest's servers still answer. */
@Injectable()
class LastLook implements BeforeApplicationShutdown {
  seen: number | undefined
  readonly #prices: Prices
  constructor(@Inject(Prices) prices: Prices) {
    this.#prices = prices
  }
  async beforeApplicationShutdown() {
    this.seen = (await this.#prices.of('lamp')).cents
  }
}

async function open() {
  const state = { finds: 0, down: false, cents: 4_000, hold: undefined as Promise<void> | undefined }
  const list: PriceList = {
    async find(): Promise<Price> {
      state.finds++
      if (state.down) throw new Error('the list is away')
      const { cents } = state
      await state.hold
      return { cents }
    },
  }
  @Module({
    providers: [{ provide: PriceList, useValue: list }, Prices, LastLook],
    exports: [Prices, LastLook],
  })
  class ShopModule {}
  const clock = fakeClock()
  @Module({ imports: [CacheModule.forRoot({ store: memoryStore({ clock }), clock }), ShopModule] })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false })
  onTestFinished(() => app.close())
  return { app, state, clock, cache: app.get(Cache), prices: app.get(Prices) }
}

it('Nest makes the cache, and those who ask a service at once share one load', async () => {
  const { state, prices, cache } = await open()
  const all = await Promise.all(Array.from({ length: 50 }, () => prices.of('lamp')))
  expect(new Set(all.map(({ cents }) => cents))).toEqual(new Set([4_000]))
  expect(state.finds).toBe(1)
  state.cents = 5_000
  expect(await prices.of('lamp')).toEqual({ cents: 4_000 })
  await prices.changed('lamp')
  expect(await prices.of('lamp')).toEqual({ cents: 5_000 })
  // Its keys are its own.
  expect(await cache.get('lamp')).toBeUndefined()
})

it('while the list is away the old price stands in', async () => {
  const { state, prices, clock } = await open()
  await prices.of('lamp')
  state.down = true
  await clock.advance(60 * 60_000)
  expect(await prices.of('lamp')).toEqual({ cents: 4_000 })
  await expect(prices.of('chair')).rejects.toThrow('the list is away')
})

it('on shutdown the cache is the last to go: other modules still use it, and what is loading ends', async () => {
  const { app, state, prices, cache } = await open()
  await prices.of('lamp')
  const slow = gate()
  state.hold = slow.wait()
  const late = prices.of('chair')
  await expect.poll(() => state.finds, { timeout: 30_000 }).toBe(2)
  const closed = app.close()
  await expect.poll(() => cache.closed, { timeout: 30_000 }).toBe(true)
  slow.open()
  expect(await late).toEqual({ cents: 4_000 })
  await closed
  expect(app.get(LastLook).seen).toBe(4_000)
  await expect(prices.of('lamp')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})
