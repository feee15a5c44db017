import { chromium } from '@flow-cache/servers'
import { type Browser, chromium as driver, type Page } from 'playwright-core'

/** How long a page may take for what it is asked, in milliseconds. */
export const patience = 20_000

/** A browser without a window. */
export async function launch(): Promise<Browser> {
  const { path, env, args } = await chromium()
  return driver.launch({ executablePath: path, env: { ...process.env, ...env }, args: [...args] })
}

/** What the browser complains of on a page, from now on. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  return complaints
}
