import type { CacheMetrics } from '../cache-metrics.js'
import { assetOf, pageOf } from './assets.js'
import { Feed, snapshotOf } from './feed.js'
import { type Action, type DashboardOptions, type Settings, settingsOf } from './options.js'

/** Answers requests for the page and what it shows. */
export interface Dashboard {
  (request: Request): Promise<Response>
  /** Ends the streams of open pages. What comes afterwards is answered all the same. */
  close(): void
  [Symbol.dispose](): void
}

/**
 * A page that shows a cache at work, as a handler of the Fetch API: mount it under any path that ends in `/`, in Hono,
 * Next.js, Bun, Deno or Node. It shows hit ratio, latencies, what was saved, tiers, namespaces, top keys, the hit-ratio
 * curve if the metrics have it, and events as they happen.
 *
 * - `GET ./`: the page. Nothing it loads comes from anywhere else.
 * - `GET ./report`: what it shows, as JSON.
 * - `GET ./events`: the same each second, as server-sent events. All pages share one interval; without a page nothing runs.
 * - `GET ./actions` and `POST ./actions/<name>`: what may be done, with `actions`. Only from the page itself.
 *
 * It answers under this machine's own names unless `hosts` says others, and does nothing unless `actions` has it.
 */
export function dashboard(metrics: CacheMetrics, options: DashboardOptions = {}): Dashboard {
  const settings = settingsOf(options)
  const feed = new Feed(metrics, settings.interval, settings.clock)
  const close = (): void => feed.close()
  const handle = (request: Request): Promise<Response> => answer(request, metrics, feed, settings)
  return Object.assign(handle, { close, [Symbol.dispose]: close })
}

async function answer(
  request: Request,
  metrics: CacheMetrics,
  feed: Feed,
  { title, actions, hosts }: Settings,
): Promise<Response> {
  const url = new URL(request.url)
  if (!hosts.includes(url.hostname)) return text(421, 'This is not served under that name.')
  const [last = '', before] = url.pathname.split('/').toReversed()
  if (request.method === 'POST') {
    if (before !== 'actions' || !Object.hasOwn(actions, last)) return text(404, 'There is no such action.')
    if (!isFromPage(request, url)) return text(403, 'Actions are for the page alone.')
    return act(request, actions[last]!)
  }
  if (request.method !== 'GET') return text(405, 'GET or POST.', { allow: 'GET, POST' })
  if (last === '') return reply(await pageOf(title), 'text/html; charset=utf-8')
  if (last === 'report') return json(snapshotOf(metrics))
  if (last === 'actions') return json(await offered(actions))
  if (last === 'events') return reply(feed.open(), 'text/event-stream')
  const asset = await assetOf(last)
  if (asset !== undefined) return reply(asset.body, asset.type)
  // The page's own links are relative to the folder it is in.
  if (request.headers.get('accept')?.includes('text/html') === true && !last.includes('.')) {
    return new Response(null, { status: 308, headers: { location: `${url.pathname}/` } })
  }
  return text(404, 'There is nothing here.')
}

/** Whether a page of this very origin asks. A form of another site cannot send JSON without being asked for leave. */
function isFromPage(request: Request, url: URL): boolean {
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  const isJson = /^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')
  const isSame = site === 'same-origin' || (site === null && origin?.endsWith(`//${url.host}`) === true)
  return isJson && isSame
}

async function act(request: Request, action: Action): Promise<Response> {
  const input = await inputOf(request)
  if (input === undefined)
    return json({ message: 'The body must be JSON such as { "input": "a text" }.' }, 400)
  try {
    const said = await action.run(input)
    return json({ message: typeof said === 'string' ? said : 'Done.' })
  } catch (error) {
    return json({ message: error instanceof Error ? error.message : String(error) }, 500)
  }
}

/** The text that came with the request, empty if it has none; `undefined` if that cannot be told. */
async function inputOf(request: Request): Promise<string | undefined> {
  const body: unknown = await request.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const { input = '' } = body as { readonly input?: unknown }
  return typeof input === 'string' ? input : undefined
}

async function offered(actions: Settings['actions']): Promise<object> {
  const offers: object[] = []
  for (const [name, { label, input }] of Object.entries(actions)) {
    const suggestions = [...((await input?.suggestions?.()) ?? [])].slice(0, mostSuggestions)
    offers.push({ name, label, ...(input !== undefined && { input: { label: input.label, suggestions } }) })
  }
  return offers
}

/** A browser makes an element of each. */
const mostSuggestions = 500

const headers = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

const reply = (body: string | ReadableStream<Uint8Array>, type: string, status = 200): Response =>
  new Response(body, { status, headers: { ...headers, 'content-type': type } })

const json = (value: object, status = 200): Response =>
  reply(JSON.stringify(value), 'application/json', status)

const text = (status: number, body: string, more: Readonly<Record<string, string>> = {}): Response =>
  new Response(body, {
    status,
    headers: { ...headers, 'content-type': 'text/plain; charset=utf-8', ...more },
  })
