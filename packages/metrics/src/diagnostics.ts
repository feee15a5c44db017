import { channel } from 'node:diagnostics_channel'
import { type Cache, type CacheEvents, type EventName, eventNames } from '@flow-cache/core'
import type { CacheMetrics } from './cache-metrics.js'

/** What is published on the channel `flow-cache:<event>`. */
export type Published<Name extends EventName = EventName> = CacheEvents[Name] & {
  /** The name of the cache. */
  readonly cache: string
}

/**
 * Publishes the events of the caches on channels of `node:diagnostics_channel`, where tools find them that know nothing
 * of each other: `flow-cache:load` and the like, one for each event. A message is made only for a channel that has a
 * subscriber. The answer stops that.
 */
export function publishEvents(metrics: CacheMetrics): () => void {
  const stops: (() => void)[] = []
  for (const [name, cache] of metrics.caches) {
    for (const event of eventNames)
      stops.push(event === 'hit' ? publishHits(name, cache) : publish(name, cache, event))
  }
  return () => {
    for (const stop of stops) stop()
  }
}

function publish(cache: string, source: Cache, event: EventName): () => void {
  const to = channel(`flow-cache:${event}`)
  return source.on(event, (told) => {
    if (to.hasSubscribers) to.publish({ cache, ...told })
  })
}

/** Hits are too many for events of their own where nobody subscribes. */
function publishHits(cache: string, source: Cache): () => void {
  const to = channel('flow-cache:hit')
  return source.watch({
    hits: {
      due: () => false,
      hit(key, namespace, entry) {
        if (to.hasSubscribers) to.publish({ cache, key, namespace, tier: source.tiers[entry.tier] })
      },
    },
  })
}
