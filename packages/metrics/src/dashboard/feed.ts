import { type CacheEvents, type Clock, type EventName, eventNames, type Timer } from '@flow-cache/core'
import type { CacheMetrics } from '../cache-metrics.js'

/** What open pages are told of only by its number, in the counts. There is too much of it. */
const counted: ReadonlySet<EventName> = new Set(['hit', 'miss', 'set', 'absent'])

const told = eventNames.filter((name) => !counted.has(name))

/** How many events one message has at most; of the rest, only their number. */
const mostEvents = 30

/** Something that happened, for people. */
interface Told {
  readonly at: number
  readonly cache: string
  readonly name: EventName
  readonly text: string
}

/** What a page shows, as of now. */
export function snapshotOf(metrics: CacheMetrics): object {
  const report = metrics.report()
  const curves = Object.fromEntries(
    [...metrics.caches.keys()].map((cache) => [cache, curveOf(metrics, cache)]),
  )
  return { report, topKeys: metrics.topKeys(10), curves }
}

/** `null`, which is something in JSON, if it is off. */
function curveOf(metrics: CacheMetrics, cache: string): readonly object[] | null {
  try {
    return metrics.hitRatioCurve({ cache })
  } catch {
    return null
  }
}

/**
 * Tells open pages what is new, all of them the same at the same time: one interval, one message. Who comes in between is
 * told at once what another one was told, if anybody came before. While no page is open, nothing runs and nothing listens.
 */
export class Feed {
  readonly #metrics: CacheMetrics
  readonly #interval: number
  readonly #clock: Clock
  readonly #pages = new Set<ReadableStreamDefaultController<Uint8Array>>()
  #events: Told[] = []
  #left = 0
  #timer: Timer = undefined
  /** What those are told at first who come in this interval, once somebody has come. */
  #first: Uint8Array | undefined
  #stops: readonly (() => void)[] = []

  constructor(metrics: CacheMetrics, interval: number, clock: Clock) {
    this.#metrics = metrics
    this.#clock = clock
    this.#interval = interval
  }

  /** How many pages are open. */
  get pages(): number {
    return this.#pages.size
  }

  /** Server-sent events for one page, the first of them at once. Throws what the metrics throw. */
  open(): ReadableStream<Uint8Array> {
    const first = (this.#first ??= encode(snapshotOf(this.#metrics)))
    let page: ReadableStreamDefaultController<Uint8Array>
    return new ReadableStream({
      start: (controller) => {
        page = controller
        this.#pages.add(page)
        if (this.#timer === undefined) this.#begin()
        page.enqueue(first)
      },
      cancel: () => this.#close(page),
    })
  }

  /** Ends all pages' streams. */
  close(): void {
    for (const page of this.#pages) page.close()
    this.#pages.clear()
    this.#end()
  }

  #begin(): void {
    this.#wait()
    this.#stops = [...this.#metrics.caches].flatMap(([cache, source]) =>
      told.map((name) => source.on(name, (event) => this.#note(cache, name, event))),
    )
  }

  /** Pages do not keep a process alive. */
  #wait(): void {
    this.#timer = this.#clock.setTimer(() => this.#tell(), this.#interval, false)
  }

  #end(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
    this.#first = undefined
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#events = []
    this.#left = 0
  }

  #close(page: ReadableStreamDefaultController<Uint8Array>): void {
    this.#pages.delete(page)
    if (this.#pages.size === 0) this.#end()
  }

  #note<Name extends EventName>(cache: string, name: Name, event: CacheEvents[Name]): void {
    if (this.#events.length < mostEvents) {
      this.#events.push({ at: this.#clock.now(), cache, name, text: textOf(event) })
    } else this.#left++
  }

  #tell(): void {
    this.#wait()
    this.#first = undefined
    // One who does not read is told less often, and holds nobody up. Where nobody reads, events wait for who does.
    const reading = [...this.#pages].filter(({ desiredSize }) => (desiredSize ?? 0) > -2)
    if (reading.length === 0) return
    let message: Uint8Array
    try {
      message = encode({ ...snapshotOf(this.#metrics), events: this.#events, left: this.#left })
    } catch (error) {
      return this.#fail(error)
    }
    this.#events = []
    this.#left = 0
    for (const page of reading) page.enqueue(message)
  }

  /** Ends all pages' streams: they may come again. */
  #fail(error: unknown): void {
    for (const page of this.#pages) page.error(error)
    this.#pages.clear()
    this.#end()
  }
}

const encoder = new TextEncoder()
const encode = (message: object): Uint8Array => encoder.encode(`data: ${JSON.stringify(message)}\n\n`)

/** An event in a few words. */
function textOf(event: object): string {
  const { key, namespace, ms, error, tags, pattern, state, reason } = event as Readonly<
    Record<string, unknown>
  >
  const where = typeof namespace === 'string' && namespace !== '' ? `${namespace} › ` : ''
  return [
    typeof key === 'string' && `${where}${key.slice(0, 80)}`,
    Array.isArray(tags) && `${where}${tags.slice(0, 5).join(', ')}`,
    typeof pattern === 'string' && pattern,
    typeof state === 'string' && state,
    typeof reason === 'string' && `because of ${reason}`,
    typeof ms === 'number' && `${ms.toFixed(ms < 10 ? 1 : 0)} ms`,
    error !== undefined && messageOf(error).slice(0, 200),
  ]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(' · ')
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'an error that is none'
