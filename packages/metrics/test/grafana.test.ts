import { readFileSync } from 'node:fs'
import { CacheMetrics } from '@flow-cache/metrics'
import { exposeMetrics } from '@flow-cache/metrics/prometheus'
import { InMemoryCache } from '@flow-cache/memory'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

interface Dashboard {
  readonly panels: readonly {
    readonly title: string
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
  }[]
  readonly templating: { readonly list: readonly { readonly query: string }[] }
}

const dashboard = JSON.parse(
  readFileSync(new URL('../../../grafana/flow-cache.json', import.meta.url), 'utf8'),
) as Dashboard

/** Every metric that is exposed, with the labels it may have. */
async function exposed(): Promise<Map<string, Set<string>>> {
  const registry = new Registry()
  const cache = new InMemoryCache()
  exposeMetrics(new CacheMetrics(cache, { sample: 1 }), { registry })
  await cache.getOrSet('a', () => 1)
  await cache.getOrSet('a', () => 1)
  const found = new Map<string, Set<string>>()
  for (const [, name, labels] of (await registry.metrics()).matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const names = [...(labels ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label!)
    found.set(name!, new Set([...(found.get(name!) ?? []), ...names]))
  }
  await cache.close()
  return found
}

const metric = /\bflow_cache_\w+/g

describe('every query of the Grafana dashboard', () => {
  const queries = dashboard.panels.flatMap(({ title, targets }) =>
    targets.map((target) => ({ title, ...target })),
  )

  it.each(queries)(
    'of "$title" asks for metrics and labels that there are: $expr',
    async ({ expr, legendFormat }) => {
      const metrics = await exposed()
      const asked = expr.match(metric) ?? []
      expect(asked).not.toEqual([])
      const braces = [...expr.matchAll(/\{([^}]*)\}/g)].map(([, inside]) => inside!).join()
      const inBraces = [...braces.matchAll(/(\w+)=~?"/g)].map(([, label]) => label!)
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, inside]) => inside!.split(/, ?/))
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)
      for (const name of asked) {
        expect([...metrics.keys()]).toContain(name)
        for (const label of [...inBraces, ...grouped]) expect([...metrics.get(name)!]).toContain(label)
      }
      for (const label of shown) if (grouped.length > 0) expect(grouped).toContain(label)
    },
  )

  it('leaves no metric out', async () => {
    const asked = new Set(queries.flatMap(({ expr }) => expr.match(metric) ?? []))
    const names = [...(await exposed()).keys()].filter((name) => !/_(sum|count)$/.test(name))
    expect(names.toSorted()).toEqual([...asked].toSorted())
  })

  it('and its variables name metrics that there are', async () => {
    const names = [...(await exposed()).keys()]
    const asked = dashboard.templating.list.flatMap(({ query }) => query.match(metric) ?? [])
    expect(asked).toEqual(['flow_cache_reads_total'])
    expect(names).toEqual(expect.arrayContaining(asked))
  })
})
