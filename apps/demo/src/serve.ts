import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { streamSSE } from 'hono/streaming'
import type { AskOptions } from './answer.js'
import type { Desk } from './desk.js'
import { NotCached, Problem } from './problem.js'

/** What is served. */
export interface ServeOptions {
  readonly desk: Desk
  /** 0: any that is free. */
  readonly port: number
  /** Further routes, such as those of a dashboard. */
  readonly routes?: (app: Hono) => void
}

/** A desk that answers over HTTP, on this machine only. */
export interface DeskServer extends AsyncDisposable {
  readonly url: string
  /** Ends answers under way and open pages. */
  close(): Promise<void>
}

const modes = ['default', 'refresh', 'only-if-cached', 'bypass', 'no-store'] as const
const files = { '/': 'index.html', '/page.js': 'page.js', '/page.css': 'page.css' } as const
const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/**
 * Serves a desk on a loopback port.
 *
 * - `GET /`: the page.
 * - `GET /ask?q=…&tenant=…&mode=…`: the answer as server-sent events: `progress`, `step` and `part` while it is made,
 *   then `answer`, or `problem`. Leaving ends the work, unless somebody else waits for the same.
 * - `POST /crowd?q=…&users=50`: so many ask at once; answers with what that took.
 *
 * Requests for another host name than this machine's, and changes asked for by another site's page, are refused.
 */
export async function serveDesk({ desk, port, routes }: ServeOptions): Promise<DeskServer> {
  const app = new Hono()
  app.use(async (c, next) => {
    const { hostname } = new URL(c.req.url)
    if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
      return c.text('This is not served here.', 421)
    return next()
  })
  app.use(csrf())
  for (const [path, file] of Object.entries(files)) app.get(path, async (c) => page(c, file))
  app.get('/ask', (c) => ask(c, desk))
  app.post('/crowd', async (c) => crowd(c, desk))
  routes?.(app)

  const server = createAdaptorServer({ fetch: app.fetch })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        taken ? new Problem(`Port ${port} is taken. Name another one with --port, or 0 for any.`) : error,
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    if ('closeAllConnections' in server) server.closeAllConnections()
    await closed
  }
  const { port: bound } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${bound}/`, close, [Symbol.asyncDispose]: close }
}

function ask(c: Context, desk: Desk): Response {
  return streamSSE(c, async (stream) => {
    const left = new AbortController()
    stream.onAbort(() => left.abort(new Error('whoever asked has left')))
    // One after the other; writing to somebody who has left is no error.
    let sent = Promise.resolve()
    const send = (event: string, data: unknown): void => {
      sent = sent.then(async () => stream.writeSSE({ event, data: JSON.stringify(data) })).catch(() => {})
    }
    try {
      const { brief: _, ...answer } = await desk.ask(questionOf(c), {
        ...howOf(c),
        signal: left.signal,
        onProgress: (step, share) => send('progress', { step, share }),
        onStep: (step) => send('step', step),
        onPart: (part) => send('part', part),
      })
      send('answer', { ...answer, nodes: desk.reports() })
    } catch (error) {
      send('problem', problemOf(error))
    }
    await sent
  })
}

async function crowd(c: Context, desk: Desk): Promise<Response> {
  try {
    const [question, how] = [questionOf(c), howOf(c)]
    const users = Number(c.req.query('users') ?? 50)
    if (!Number.isInteger(users) || users < 1 || users > 500)
      throw new Problem(`"users" must be a whole number from 1 to 500, got "${c.req.query('users')}".`)
    const started = performance.now()
    const answers = await Promise.all(Array.from({ length: users }, async () => desk.ask(question, how)))
    const runs = answers.filter(({ steps }) =>
      steps.some(({ name, from }) => name === 'brief' && from === 'ran'),
    )
    return c.json({ users, briefsWritten: runs.length, ms: performance.now() - started })
  } catch (error) {
    return c.json(problemOf(error), error instanceof Problem ? 400 : 500)
  }
}

function questionOf(c: Context): string {
  const question = c.req.query('q')?.trim() ?? ''
  if (question === '') throw new Problem('The question is empty. Ask with ?q=…')
  return question
}

function howOf(c: Context): Pick<AskOptions, 'tenant' | 'mode'> {
  const mode = c.req.query('mode') ?? 'default'
  if (!(modes as readonly string[]).includes(mode))
    throw new Problem(`"mode" must be one of ${modes.join(', ')}, got "${mode}".`)
  const tenant = c.req.query('tenant')
  if (tenant === '') throw new Problem('"tenant" needs a name.')
  return { tenant, mode: mode as (typeof modes)[number] }
}

/** What somebody who asked is told; what broke is no secret on one's own machine. */
function problemOf(error: unknown): { readonly message: string; readonly code: string } {
  const message = error instanceof Error ? error.message : String(error)
  return {
    message,
    code: error instanceof NotCached ? 'not-cached' : error instanceof Problem ? 'problem' : 'broken',
  }
}

async function page(c: Context, file: string): Promise<Response> {
  const type = types[file.slice(file.lastIndexOf('.') + 1) as keyof typeof types]
  const body = await readFile(new URL(`../page/${file}`, import.meta.url), 'utf8')
  return c.body(body, 200, { 'content-type': type, 'cache-control': 'no-cache' })
}
