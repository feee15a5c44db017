import { createCache } from '@flow-cache/core'
import { fakeClock, mapStore, settle } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { CacheMetrics } from '../cache-metrics.js'
import { Feed } from './feed.js'

/** A feed that tells each second, of metrics that say how many reports were drawn up. */
function setUp() {
  const clock = fakeClock()
  const cache = createCache({ store: mapStore(clock), clock })
  const drawn = { reports: 0, fails: false }
  const savings = {
    report() {
      drawn.reports++
      if (drawn.fails) throw new Error('nobody knows what was saved')
      return { savedUsd: 0, savedTokens: 0 }
    },
  }
  const feed = new Feed(new CacheMetrics(cache, { clock, savings }), 1_000, clock)
  const open = (count: number): ReadableStreamDefaultReader<Uint8Array>[] =>
    Array.from({ length: count }, () => feed.open().getReader())
  return { clock, cache, feed, drawn, open }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>

const textOf = ({ value }: { readonly value?: Uint8Array | undefined }): string =>
  new TextDecoder().decode(value)

/** Reads all that is told to a page, and counts it. */
function follow(page: Reader): { count: number } {
  const told = { count: 0 }
  void (async () => {
    while (!(await page.read()).done) told.count++
  })().catch(() => undefined)
  return told
}

describe('what a thousand open pages are told', () => {
  it('is drawn up and written once for all of them', async () => {
    const { clock, drawn, open } = setUp()
    const pages = open(1_000)
    for (let i = 0; i < 10; i++) {
      const [first, ...others] = await Promise.all(pages.map(async (page) => (await page.read()).value))
      expect(drawn.reports).toBe(i + 1)
      expect(others.every((bytes) => bytes === first)).toBe(true)
      await clock.advance(1_000)
    }
    await Promise.all(pages.map((page) => page.cancel()))
  })

  it('is drawn up once an interval for those who come, whenever they do', async () => {
    const { clock, drawn, open } = setUp()
    const [stays] = open(1)
    follow(stays!)
    for (let i = 0; i < 10; i++) {
      for (const page of open(100)) await page.cancel()
      await clock.advance(50)
    }
    expect(drawn.reports).toBe(1)
    await clock.advance(500)
    expect(drawn.reports).toBe(2)
    await stays!.cancel()
  })

  it('is as of now for the first who comes', async () => {
    const { clock, drawn, open } = setUp()
    for (let i = 1; i <= 3; i++) {
      const [page] = open(1)
      await page!.cancel()
      await clock.advance(10)
      expect(drawn.reports).toBe(i)
    }
  })
})

describe('while nobody', () => {
  it('has a page open, no timer is set, nothing is drawn up and nobody listens', async () => {
    const { clock, cache, drawn, open } = setUp()
    const pages = open(3)
    expect(clock.pending).toBe(1)
    for (const page of pages) await page.cancel()
    expect(clock.pending).toBe(0)
    await cache.delete('unseen')
    await clock.advance(60_000)
    expect(drawn.reports).toBe(1)
    const [page] = open(1)
    await cache.delete('seen')
    await clock.advance(1_000)
    await page!.read()
    const told = textOf(await page!.read())
    expect([told.includes('"unseen"'), told.includes('"seen"')]).toEqual([false, true])
    await page!.cancel()
  })

  it('reads, nothing is drawn up; who reads again is told what he missed', async () => {
    const { clock, cache, drawn, open } = setUp()
    const [page] = open(1)
    await clock.advance(3_000)
    const { reports } = drawn
    await cache.delete('a')
    await clock.advance(60_000)
    expect(drawn.reports).toBe(reports)
    for (let i = 0; i < reports; i++) await page!.read()
    await clock.advance(1_000)
    expect(textOf(await page!.read())).toContain('"name":"delete","text":"a"')
    await page!.cancel()
  })
})

it('a page that does not read does not keep others from being told', async () => {
  const { clock, open } = setUp()
  const [stalled, ...others] = open(3)
  const told = others.map(follow)
  for (let i = 0; i < 100; i++) await clock.advance(1_000)
  expect(told).toEqual([{ count: 101 }, { count: 101 }])
  await Promise.all([stalled!, ...others].map((page) => page.cancel()))
})

describe('metrics that fail', () => {
  it('end the pages, which may come again, and not the process', async () => {
    const { clock, drawn, feed, open } = setUp()
    const [page] = open(1)
    await page!.read()
    drawn.fails = true
    await clock.advance(1_000)
    await expect(page!.read()).rejects.toThrow('nobody knows what was saved')
    expect([feed.pages, clock.pending]).toEqual([0, 0])
    drawn.fails = false
    const [again] = open(1)
    expect((await again!.read()).done).toBe(false)
    await again!.cancel()
  })

  it('are told to who comes, and leave nothing behind', async () => {
    const { clock, drawn, feed, open } = setUp()
    drawn.fails = true
    expect(() => open(1)).toThrow('nobody knows what was saved')
    await settle()
    expect([feed.pages, clock.pending]).toEqual([0, 0])
  })
})
