import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisBinary } from '@flow-cache/servers'
import { InMemoryCache } from '@flow-cache/memory'
import type { Browser, Frame, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Desk } from '../src/desk.js'
import { openCache } from '../src/open-cache.js'
import { OwnRedis } from '../src/own-redis.js'
import { serveDesk } from '../src/serve.js'
import { watchDesk } from '../src/watch.js'
import { complaintsOf, launch, patience } from './browser.js'
import { handbook } from './handbook.js'

let browser: Browser

beforeAll(async () => {
  browser = await launch()
}, 300_000)

afterAll(() => browser?.close())

interface Opened {
  readonly page: Page
  readonly frame: Frame
  readonly metrics: ReturnType<typeof watchDesk>['metrics']
  readonly redis: OwnRedis
  /** What the browser complained of. */
  readonly complaints: string[]
}

/** The desk with a Redis of its own, and its page in the browser. */
async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const { path, env } = await redisBinary()
  const redis = await OwnRedis.start(path, env)
  const cache = await openCache(redis.url)
  const looks = new InMemoryCache({ ttl: '1s' })
  const desk = new Desk({ cache, looks, dir: handbook })
  const watch = watchDesk(cache, desk, redis)
  const { metrics, routes } = watch
  const server = await serveDesk({ desk, port: 0, routes })
  const context = await browser.newContext(options)
  const page = await context.newPage()
  context.setDefaultTimeout(patience)
  onTestFinished(async () => {
    await context.close()
    await server.close()
    watch[Symbol.dispose]()
    await Promise.all([cache.close(), looks.close()])
    await redis.stop()
  })
  const complaints = complaintsOf(page)
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(server.url) || request.url().startsWith('data:')
    if (!isOwn) complaints.push(`asks for ${request.url()}`)
  })
  await page.goto(server.url)
  const frame = cacheFrame(page)
  await frame.getByText('Live').waitFor()
  return { page, frame, metrics, redis, complaints }
}

async function ask(page: Page, question = 'How long is the pause between retries?'): Promise<string> {
  await page.getByLabel('Question').fill(question)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.getByText(/^Answered from/).waitFor()
  return (await page.locator('#answer').textContent()) ?? ''
}

/** Where each step of the answer on the page came from. */
async function steps(page: Page): Promise<Record<string, string>> {
  const rows = await page.locator('#steps tbody tr').all()
  const cells = await Promise.all(rows.map((row) => row.locator('td').allTextContents()))
  return Object.fromEntries(cells.map(([name, from]) => [name!, from!]))
}

/** The cache at work, in a page. */
const cacheFrame = (page: Page): Frame => page.frames().find((frame) => frame.url().endsWith('/cache/'))!

/** What stands in the tile of a name. */
const tile = async (frame: Frame, name: string): Promise<string | null> =>
  frame
    .locator('#tiles div', { has: frame.locator('dt', { hasText: new RegExp(`^${name}$`) }) })
    .locator('dd')
    .textContent()

/** What stands in the rows of a table. */
const rows = async (frame: Frame, table: string): Promise<string[][]> =>
  Promise.all(
    (await frame.locator(`${table} tbody tr`).all()).map(async (row) =>
      (await row.locator('td').allTextContents()).map((text) => text.trim()),
    ),
  )

/** Whether a time on the page, such as `12 ms`, is so many milliseconds, rounded. */
function isShown(text: string, ms: number): boolean {
  const [, value, unit] = /^([\d.]+) (µs|ms|s)$/.exec(text) ?? []
  const shown = Number(value) * { µs: 0.001, ms: 1, s: 1_000 }[unit as 'µs' | 'ms' | 's']
  return Math.abs(shown - ms) <= 0.06 * ms
}

/**
 * Finds text on the page that has less contrast to what is behind it than WCAG 2.2 asks for (AA, 4.5 to 1). As text:
 * what the page has is not known here.
 */
const pale = `(() => {
  const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const light = (colour) => rgb(colour).slice(0, 3)
    .map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0)
  const behind = (element) => {
    const { backgroundColor } = getComputedStyle(element)
    return (rgb(backgroundColor)[3] ?? 1) > 0 || element.parentElement === null ? backgroundColor : behind(element.parentElement)
  }
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && [...element.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== ''))
    .filter((element) => {
      const [dark, bright] = [light(getComputedStyle(element).color), light(behind(element))].sort((one, other) => one - other)
      return (bright + 0.05) / (dark + 0.05) < 4.5
    })
    .map((element) => element.tagName + ': ' + element.textContent)
})()`

describe('the page', () => {
  it('answers while it is written, and again from the cache', async () => {
    const { page, complaints } = await open()
    expect(await ask(page)).toContain('The pause doubles with every attempt')
    expect(await steps(page)).toMatchObject({ chunk: 'ran', index: 'ran', brief: 'ran' })
    await ask(page)
    expect(await steps(page)).toMatchObject({ chunk: 'cache', index: 'cache', brief: 'cache' })
    expect(complaints).toEqual([])
  }, 60_000)

  it('shows the numbers of the metrics', async () => {
    const { page, frame, metrics, complaints } = await open()
    await ask(page)
    await ask(page)
    const { total, saved, caches } = metrics.report()
    const desk = caches['desk']!
    const count = (value: number): string => value.toLocaleString('en')
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
    await expect.poll(() => tile(frame, 'Reads'), { timeout: patience }).toBe(count(total.reads))
    expect(await tile(frame, 'Hit ratio')).toBe(percent(total.hitRatio))
    expect(await tile(frame, 'Efficiency')).toBe(percent(total.efficiency))
    expect(await tile(frame, 'Loads')).toBe(count(total.loads))
    expect(await tile(frame, 'Loads avoided')).toBe(count(total.loadsAvoided))
    expect(await tile(frame, 'Under way')).toBe(count(desk.loading))
    expect(isShown((await tile(frame, 'Time saved'))!, saved.ms)).toBe(true)
    expect(await rows(frame, '#spaces')).toEqual(
      Object.entries(desk.namespaces)
        .filter(([, { reads }]) => reads > 0)
        .map(([name, of]) => [
          name,
          count(of.reads),
          percent(of.hitRatio),
          count(of.loads),
          count(of.loadErrors),
          count(of.evictions),
          expect.any(String),
        ]),
    )
    const tiers = await rows(frame, '#tiers')
    const { load } = desk.latency
    expect(tiers.map(([what, times]) => [what, times])).toEqual([
      ...desk.tiers.map(({ name, hits }) => [`hits in ${name}`, count(hits)]),
      ['loads', count(load.count)],
    ])
    for (const [i, time] of [load.p50, load.p90, load.p99, load.p999].entries())
      expect([tiers.at(-1)![i + 2], isShown(tiers.at(-1)![i + 2]!, time)]).toEqual([expect.any(String), true])
    expect(await rows(frame, '#keys')).toEqual(
      metrics.topKeys(10).map(({ namespace, key, count: reads }) => [`${namespace} › ${key}`, count(reads)]),
    )
    expect(await rows(frame, '#curves')).toEqual(
      metrics
        .hitRatioCurve()
        .map(({ entries, factor, hitRatio }) => [
          count(entries),
          factor === 1 ? 'as now' : `${factor}×`,
          percent(hitRatio),
        ]),
    )
    expect(await frame.locator('#events li').count()).toBeGreaterThan(0)
    expect(await frame.locator('.chart canvas').count()).toBe(2)
    expect(complaints).toEqual([])
  }, 60_000)

  it('sends fifty users at once, for whom one answer is written', async () => {
    const { page, complaints } = await open()
    await page.getByRole('button', { name: 'Fifty users at once' }).click()
    await page.getByText(/^50 users were answered in .*; one brief was written\.$/).waitFor()
    expect(complaints).toEqual([])
  }, 60_000)

  it('invalidates the answers that quote a package, and no others', async () => {
    const { page, frame, complaints } = await open()
    await ask(page)
    const field = frame.getByLabel('Answers that quote the package')
    const button = frame.getByRole('button', { name: 'Invalidate' })
    await button.click()
    await frame.getByText('Name a package first.').waitFor()
    await field.fill('no-such-package')
    await button.click()
    await frame.getByText('Answers that quote no-such-package will be written anew.').waitFor()
    await ask(page)
    expect(await steps(page)).toMatchObject({ brief: 'cache' })
    const quoted = await frame.locator('datalist option').first().getAttribute('value')
    await field.fill(quoted!)
    await button.click()
    await frame.getByText(`Answers that quote ${quoted} will be written anew.`).waitFor()
    await ask(page)
    expect(await steps(page)).toMatchObject({ index: 'cache', brief: 'ran' })
    await frame.locator('#events li', { hasText: 'invalidate' }).first().waitFor()
    // A refused action is an answer that browsers write into the console.
    expect(complaints.filter((text) => !text.includes('status of 500'))).toEqual([])
  }, 60_000)

  it('goes on when Redis is stopped, and when it is started again', async () => {
    const { page, frame, redis, complaints } = await open()
    await ask(page)
    await frame.getByRole('button', { name: 'Stop Redis' }).click()
    await frame.getByText('Redis is stopped.', { exact: false }).waitFor()
    expect(redis.running).toBe(false)
    expect(await ask(page)).toContain('The pause doubles with every attempt')
    await ask(page, 'What is the handbook about?').catch(() => '')
    await frame.locator('#events li', { hasText: 'error' }).first().waitFor()
    await frame.getByRole('button', { name: 'Start Redis' }).click()
    await frame.getByText('Redis runs, and is empty.').waitFor()
    expect(redis.running).toBe(true)
    expect(await ask(page)).toContain('The pause doubles with every attempt')
    expect(complaints).toEqual([])
  }, 120_000)

  it('is told once a browser, however many pages of it are open, and goes on when the one that listened is closed', async () => {
    const { page, frame, metrics, complaints } = await open()
    const streams: string[] = []
    const count = (request: Request) => request.url().endsWith('/cache/events') && streams.push(request.url())
    const others: Page[] = []
    // A browser opens six connections to a server.
    for (let i = 0; i < 7; i++) {
      const other = await page.context().newPage()
      others.push(other)
      other.on('request', count)
      await other.goto(page.url())
      await cacheFrame(other).getByText('Live').waitFor()
    }
    expect(streams).toEqual([])
    await ask(page)
    const reads = metrics.report().total.reads.toLocaleString('en')
    for (const shown of [frame, ...others.map(cacheFrame)])
      await expect.poll(() => tile(shown, 'Reads'), { timeout: patience }).toBe(reads)
    await page.close()
    await ask(others[0]!, 'What is the handbook about?').catch(() => '')
    await expect
      .poll(() => tile(cacheFrame(others[6]!), 'Reads'), { timeout: patience })
      .toBe(metrics.report().total.reads.toLocaleString('en'))
    expect(streams).toHaveLength(1)
    expect(complaints).toEqual([])
  }, 120_000)

  it('does what a field is for when Enter is pressed in it, and keeps the focus there', async () => {
    const { page, frame } = await open()
    await ask(page)
    const field = frame.getByLabel('Answers that quote the package')
    await field.fill('handbook')
    await field.press('Enter')
    await frame.locator('#said').filter({ hasText: 'handbook' }).waitFor()
    expect(await frame.evaluate<string>('document.activeElement.id')).toBe('input-invalidate')
    const stop = frame.getByRole('button', { name: 'Stop Redis' })
    await stop.focus()
    await page.keyboard.press('Enter')
    await frame.locator('#said').filter({ hasNotText: '…' }).filter({ hasText: 'Redis' }).waitFor()
    expect(await frame.evaluate<string>('document.activeElement.textContent')).toBe('Stop Redis')
  }, 60_000)

  it('asks for the tenant, and as the mode says', async () => {
    const { page, complaints } = await open()
    await ask(page)
    await page.getByLabel('Tenant').fill('acme')
    await page.getByLabel('Cache').selectOption('only what is there')
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    await page.locator('#status.problem', { hasText: 'brief' }).waitFor()
    await page.getByLabel('Cache').selectOption('use it')
    await ask(page)
    expect(await steps(page)).toMatchObject({ index: 'cache', brief: 'ran' })
    await page.getByLabel('Cache').selectOption('make anew')
    await ask(page)
    expect(await steps(page)).toMatchObject({ chunk: 'ran', index: 'ran', brief: 'ran' })
    await page.getByLabel('Cache').selectOption('without')
    await ask(page)
    expect(await steps(page)).toMatchObject({ chunk: 'ran', index: 'ran', brief: 'ran' })
    expect(complaints).toEqual([])
  }, 60_000)

  it('has a name for all that a screen reader comes to', async () => {
    const { page, frame } = await open()
    await ask(page)
    const heard = await page.locator('body').ariaSnapshot()
    for (const part of [
      'heading "docs-desk" [level=1]',
      'region "Ask"',
      'textbox "Question"',
      'textbox "Tenant"',
      'combobox "Cache"',
      'button "Ask"',
      'button "Fifty users at once"',
      'status',
      'article',
      'table "Steps of this answer"',
      'table "What caching each node has brought, net of what it took"',
      'columnheader "net saved"',
    ])
      expect(heard).toContain(part)
    const inside = await frame.locator('body').ariaSnapshot()
    for (const part of [
      'heading "The cache at work" [level=1]',
      'form "Actions"',
      'combobox "Answers that quote the package"',
      'button "Invalidate"',
      'button "Stop Redis"',
      'button "Start Redis"',
      'region "In all"',
      'term: Hit ratio',
      'img "Hit ratio, while this page is open',
      'img "Reads and loads a second',
      'table "Latency"',
      'table "Namespaces"',
      'table "Keys read most"',
      'table "Hit ratio by size"',
      'list "Events"',
    ])
      expect(inside).toContain(part)
  }, 60_000)

  it('can be used with the keyboard alone', async () => {
    const { page, frame } = await open()
    await page.getByLabel('Question').focus()
    await page.keyboard.press('Enter')
    await page.getByText(/^(Answered from|No document)/).waitFor()
    const reached = new Set<string>()
    for (let i = 0; i < 25; i++) {
      await page.keyboard.press('Tab')
      // As text: what the page has is not known here.
      const name = async (where: Page | Frame): Promise<string> =>
        where.evaluate("document.activeElement?.id || document.activeElement?.textContent?.trim() || ''")
      reached.add(await name(page)).add(await name(frame))
    }
    expect([...reached]).toEqual(
      expect.arrayContaining([
        'tenant',
        'mode',
        'Ask',
        'crowd',
        'cache',
        'input-invalidate',
        'Invalidate',
        'Stop Redis',
        'Start Redis',
        'events',
      ]),
    )
  }, 60_000)

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)(
    'fits, in %s, into %d pixels',
    async (colorScheme, width) => {
      const { page, frame, complaints } = await open({ colorScheme, viewport: { width, height: 900 } })
      await ask(page)
      await ask(page)
      await expect.poll(() => frame.locator('#ratio-text').textContent(), { timeout: patience }).not.toBe('')
      for (const where of [page, frame]) {
        expect(
          await where.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth'),
        ).toBeLessThanOrEqual(0)
      }
      // On a phone nothing scrolls within the page.
      if (width < 1024) {
        await expect
          .poll(() => frame.evaluate<number>('document.documentElement.scrollHeight - window.innerHeight'), {
            timeout: patience,
          })
          .toBeLessThanOrEqual(0)
      }
      const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      expect(back).toBe(colorScheme === 'dark' ? 'rgb(20, 22, 26)' : 'rgb(255, 255, 255)')
      for (const where of [page, frame]) expect(await where.evaluate<string[]>(pale)).toEqual([])
      const folder =
        process.env['FLOW_CACHE_SCREENSHOTS'] ?? (await mkdtemp(join(tmpdir(), 'flow-cache-page-')))
      const file = join(folder, `${colorScheme}-${width}.png`)
      expect((await page.screenshot({ path: file, fullPage: true })).length).toBeGreaterThan(10_000)
      if (process.env['FLOW_CACHE_SCREENSHOTS'] === undefined) await rm(folder, { recursive: true })
      expect(complaints).toEqual([])
    },
    60_000,
  )
})
