import type { Cache } from '@flow-cache/core'
import { CacheMetrics } from '@flow-cache/metrics'
import { type Action, dashboard } from '@flow-cache/metrics/dashboard'
import type { Hono } from 'hono'
import type { Desk } from './desk.js'
import { tagOf } from './desk-nodes.js'
import type { OwnRedis } from './own-redis.js'
import { Problem } from './problem.js'

/** The cache at work, for a page. */
export interface Watch extends Disposable {
  readonly metrics: CacheMetrics
  /** Mounts the page under `/cache/`. */
  readonly routes: (app: Hono) => void
}

/** Counts what the desk's cache does, and shows it; with buttons for what one would want to try. */
export function watchDesk(cache: Cache, desk: Desk, redis: OwnRedis | undefined): Watch {
  const metrics = new CacheMetrics({ desk: cache }, { curve: true, savings: desk.savings })
  const invalidate: Action = {
    label: 'Invalidate',
    input: { label: 'Answers that quote the package', suggestions: async () => packagesOf(desk) },
    async run(name) {
      if (name === '') throw new Problem('Name a package first.')
      await cache.namespace('brief').invalidateTags([tagOf(name)])
      return `Answers that quote ${name} will be written anew.`
    },
  }
  const page = dashboard(metrics, {
    title: 'The cache at work',
    actions: { invalidate, ...(redis !== undefined && redisActions(redis)) },
  })
  return {
    metrics,
    routes: (app) => app.all('/cache/*', (c) => page(c.req.raw)),
    [Symbol.dispose]() {
      page.close()
      metrics.close()
    },
  }
}

function redisActions(redis: OwnRedis): Readonly<Record<string, Action>> {
  return {
    stop: {
      label: 'Stop Redis',
      async run() {
        await redis.stop()
        return 'Redis is stopped. Ask: what is in memory is answered still, and the rest is made here.'
      },
    },
    start: {
      label: 'Start Redis',
      async run() {
        await redis.start()
        return 'Redis runs, and is empty.'
      },
    },
  }
}

async function packagesOf(desk: Desk): Promise<readonly string[]> {
  const documents = await desk.survey().catch(() => [])
  return [...new Set(documents.map((document) => document.package))].toSorted()
}
