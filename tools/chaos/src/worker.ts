import { setTimeout as sleep } from 'node:timers/promises'
import { type Cache, type Clock, systemClock } from '@flow-cache/core'
import { memoryStore } from '@flow-cache/memory'
import { MultiLevelCache } from '@flow-cache/multilevel'
import { redisStore } from '@flow-cache/redis'
import { watchLag } from './lag.js'
import {
  type Assignment,
  keys,
  period,
  type Reply,
  type Request,
  scramble,
  silentKeys,
  silentTtl,
  tagsOf,
  wanted,
} from './messages.js'
import { instant, seeded } from './random.js'
import { Sightings } from './sightings.js'

/* One process: reads and changes at random until it is told to stop. The truth is the parent's. */

/** How many of the operations change something, in calm times and in a scramble. */
const changes = { calm: 0.00005, scramble: 0.02 }

/** Of all changes. Each makes up for whatever went wrong before, so there are few. */
const clears = 0.0005

const isScramble = (): boolean => (instant() / period) % 1 < scramble

const send = (request: Request): void => void process.send?.(request)
const waiting = new Map<number, (values: readonly string[]) => void>()
let asked = 0

function ask(
  request: { kind: 'read'; key: string } | { kind: 'write'; keys: readonly string[] },
): Promise<readonly string[]> {
  const id = ++asked
  send({ ...request, id })
  return new Promise((resolve) => waiting.set(id, resolve))
}

class Worker {
  readonly #assignment: Assignment
  readonly #cache: Cache
  readonly #random: () => number
  /** Changes that the store failed to make, since the write under way began. */
  #failures = 0
  #writing: Promise<void> = Promise.resolve()
  readonly #reads = new Sightings()
  #loads = 0
  #stopped = false

  constructor(assignment: Assignment) {
    const { url, prefix, seed, offset } = assignment
    this.#assignment = assignment
    this.#random = seeded(seed)
    const clock: Clock = {
      now: () => systemClock.now() + offset,
      setTimer: (callback, ms, keepAlive) => systemClock.setTimer(callback, ms, keepAlive),
      clearTimer: (timer) => systemClock.clearTimer(timer),
    }
    const tiers = [memoryStore({ clock }), redisStore({ url, prefix, clock })]
    this.#cache = new MultiLevelCache({ tiers, clock, ttl: '1m', leaseTerm: '1s' })
    this.#cache.on('error', ({ during }) => {
      if (during !== 'get' && during !== 'take the lease' && during !== 'read the tags') this.#failures++
    })
  }

  async run(): Promise<void> {
    const flush = setInterval(() => this.#flush(), 200)
    const stopWatching = watchLag((begin, end) => send({ kind: 'lag', begin, end }))
    await Promise.all(Array.from({ length: this.#assignment.concurrency }, () => this.#loop()))
    clearInterval(flush)
    stopWatching()
    await this.#cache.close()
    this.#flush()
  }

  stop(): void {
    this.#stopped = true
  }

  #flush(): void {
    send({ kind: 'reads', reads: this.#reads.take(), loads: this.#loads })
    this.#loads = 0
  }

  async #loop(): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const draw = this.#random()
      const rate = isScramble() ? changes.scramble : changes.calm
      if (draw < rate) await this.#write(draw / rate)
      else await this.#read(draw)
      // Not always: hits in a row are what a service does.
      if (i % 8 === 0) await sleep(this.#random() * 4)
    }
  }

  async #read(draw: number): Promise<void> {
    const silent = draw > 0.97
    const key = silent ? this.#oneOf(silentKeys) : this.#key()
    const begin = instant()
    let value: unknown
    if (draw > 0.85 && !silent) value = await this.#cache.get(key)
    else if (draw > 0.8 && !silent) value = (await this.#cache.getMany([key])).get(key)
    else {
      const options = silent ? { ttl: silentTtl } : { tags: tagsOf(key) }
      value = await this.#cache.getOrSet(key, () => this.#load(key), options)
    }
    const end = instant()
    if (value === undefined) return
    const read = { key, value: value as string, process: this.#assignment.process, begin, end }
    this.#reads.add({ first: read, last: read, count: 1 })
  }

  /** Half of the time one of those that everybody is after. */
  #key(): string {
    return this.#random() < 0.5 ? this.#wanted() : this.#oneOf(keys)
  }

  /** One of the few that everybody is after. */
  #wanted(): string {
    const first = Math.floor(instant() / period) * wanted
    return keys[(first + Math.floor(this.#random() * wanted)) % keys.length]!
  }

  #oneOf(list: readonly string[]): string {
    return list[Math.floor(this.#random() * list.length)]!
  }

  async #load(key: string): Promise<string> {
    this.#loads++
    if (this.#random() < 0.3) await sleep(this.#random() * 20)
    const [value] = await ask({ kind: 'read', key })
    if (this.#random() < 0.3) await sleep(this.#random() * 20)
    return value!
  }

  /** One change at a time, so that a failure is known to be its. */
  #write(draw: number): Promise<void> {
    this.#writing = this.#writing.then(() => this.#change(draw))
    return this.#writing
  }

  async #change(draw: number): Promise<void> {
    const key = isScramble() ? this.#wanted() : this.#oneOf(keys)
    const tags = tagsOf(key)
    const isClear = draw > 1 - clears
    const byTag = draw > 0.75 && !isClear && tags.length > 0
    const alike = byTag ? keys.filter((one) => tagsOf(one)[0] === tags[0]) : [key]
    const values = await ask({ kind: 'write', keys: isClear ? keys : alike })
    this.#failures = 0
    if (isClear) await this.#cache.clear()
    else if (byTag) await this.#cache.invalidateTags(tags)
    else if (draw < 0.4) await this.#cache.set(key, values[0], { tags })
    else await this.#cache.delete(key)
    send({ kind: 'wrote', values, end: instant(), acknowledged: this.#failures === 0 })
  }
}

let worker: Worker | undefined
process.on('message', (reply: Reply) => {
  if (reply.kind === 'values') {
    waiting.get(reply.id)?.(reply.values)
    waiting.delete(reply.id)
  } else if (reply.kind === 'stop') worker?.stop()
  else {
    worker = new Worker(reply.assignment)
    void worker.run().then(() => {
      send({ kind: 'done' })
      process.disconnect()
    })
  }
})
process.on('disconnect', () => process.exit())
// Meant for the parent, who says when to stop.
process.on('SIGINT', () => {})
send({ kind: 'ready' })
