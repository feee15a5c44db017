import { InMemoryCache } from '@flow-cache/memory'

/** What a page of the site is made of. */
export interface Article {
  readonly slug: string
  readonly title: string
}

/**
 * One for each process, also while you develop: a changed file has its modules read again, and each reading would have a
 * cache of its own.
 */
const held = globalThis as { articles?: InMemoryCache }
const cache = (held.articles ??= new InMemoryCache({
  maxEntries: 10_000,
  ttl: '10m',
  grace: '1d', // the system that has the articles may be away for so long
  timeouts: { soft: '500ms', hard: '10s' },
  // On a serverless platform, what is slower than `soft` goes on after the answer: `waitUntil: after`, from 'next/server'.
}))

interface Context {
  readonly params: Promise<{ readonly slug: string }>
}

/**
 * `app/articles/[slug]/route.ts`: an article, from the system that has them. Next.js (15 and newer) keeps neither what a
 * handler answers nor what `fetch` brings unless it is told to, so this cache is the only one.
 */
export async function GET(_request: Request, { params }: Context): Promise<Response> {
  const { slug } = await params
  const article = await cache.getOrSet(
    slug,
    async ({ signal }) => {
      const url = new URL(`/articles/${encodeURIComponent(slug)}`, process.env['CMS_URL'])
      const answer = await fetch(url, { signal })
      if (answer.status === 404) return undefined
      if (!answer.ok) throw new Error(`the CMS says ${answer.status}`)
      return (await answer.json()) as Article
    },
    { negativeTtl: '30s' },
  )
  return article === undefined
    ? Response.json({ error: 'not found' }, { status: 404 })
    : Response.json(article)
}

/** The same path: the CMS tells of a change. The old article stands in if the CMS is away when the next reader comes. */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  if (request.headers.get('authorization') !== `Bearer ${process.env['CMS_SECRET']}`)
    return new Response(null, { status: 401 })
  await cache.expire((await params).slug)
  return new Response(null, { status: 204 })
}
