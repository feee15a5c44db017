import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from '@flow-cache/servers'
import { type Browser, chromium as driver, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { repository, root } from '../src/places.js'
import { serveFolder } from './serve.js'

const dist = join(root, 'tools/site/.vitepress/dist')

describe('links', () => {
  it('of every page lead to a page, a place on it, or a file of the repository', async () => {
    const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.html'))
    const pages = new Map<string, string>()
    for (const file of files) pages.set(`/${file}`, await readFile(join(dist, file), 'utf8'))
    const broken: string[] = []
    for (const [from, html] of pages)
      for (const [, href] of html.matchAll(/<a [^>]*?href="([^"]+)"/g))
        if (!leadsSomewhere(href!, from, pages)) broken.push(`${from} → ${href}`)
    expect(pages.size).toBeGreaterThan(50)
    expect(broken).toEqual([])
  })
})

function leadsSomewhere(href: string, from: string, pages: ReadonlyMap<string, string>): boolean {
  const { origin, pathname, hash } = new URL(href.replaceAll('&amp;', '&'), `http://site${from}`)
  if (origin === 'http://site') {
    const page = pages.get(decodeURIComponent(pathname.replace(/\/$/, '/index.html')))
    const id = decodeURIComponent(hash.slice(1))
    return page !== undefined && (id === '' || page.includes(`id="${id}"`))
  }
  const [, file] = new RegExp(`^${repository}/(?:blob|tree)/main/([^#]+)`).exec(href) ?? []
  return file === undefined || existsSync(join(root, decodeURI(file)))
}

describe('in a browser', () => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof serveFolder>>

  beforeAll(async () => {
    const { path, env, args } = await chromium()
    browser = await driver.launch({ executablePath: path, env: { ...process.env, ...env }, args: [...args] })
    site = await serveFolder(dist)
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  /** A page of the site, and what the browser complained of. */
  async function open(path: string, options: Parameters<Browser['newPage']>[0] = {}) {
    const page = await browser.newPage(options)
    onTestFinished(() => page.close())
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(site.url + path, { waitUntil: 'networkidle' })
    return { page, complaints }
  }

  /** Looks for words until a page, or a part of it, of that title is among the first five results. */
  async function find(page: Page, words: string, title: string): Promise<void> {
    await page.fill('.search-input', words)
    const titles =
      "[...document.querySelectorAll('.result .titles')].slice(0, 5).map((one) => one.textContent)"
    await page.waitForFunction(`${titles}.some((one) => one.includes(${JSON.stringify(title)}))`)
  }

  it('an entry is found by search, and opened', async () => {
    const { page, complaints } = await open('/')
    await page.keyboard.press('Control+k')
    await find(page, 'stampede', 'Many readers, one load')
    await find(page, 'ERR_TIMEOUT', 'Errors')
    await find(page, 'clearPattern', 'End many entries at once')
    await find(page, 'another tenant', 'What a cache can give away')
    await find(page, 'redis is down', 'When Redis is down')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/docs/redis-down.html*')
    // The page comes after its address.
    await page.waitForSelector('h1:has-text("When Redis is down")')
    expect(complaints).toEqual([])
  })

  it('the reference says what an option does', async () => {
    const { page, complaints } = await open('/reference/@flow-cache/core.html')
    expect(await page.textContent('#keepoptions ~ table')).toContain('How long a new entry is fresh')
    expect(complaints).toEqual([])
  })

  it.each([
    '/',
    '/start.html',
    '/docs/',
    '/docs/guarantees.html',
    '/packages/redis/',
    '/reference/@flow-cache/redis.html',
  ])('%s fits a phone, and follows light and dark', async (path) => {
    const backgrounds: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await open(path, { viewport: { width: 390, height: 800 }, colorScheme })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
      backgrounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
      expect(complaints).toEqual([])
    }
    expect(backgrounds[0]).toBe('rgb(255, 255, 255)')
    expect(backgrounds[1]).not.toBe(backgrounds[0])
  })
})
