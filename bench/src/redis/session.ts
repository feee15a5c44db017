import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import type { RedisSetup, RedisSubject } from './contestant.js'
import { isPipelined, redisContestant, type RedisContestantName } from './contestants.js'

/** How many calls are under way at a time. */
export const inFlight = 64

/** What is cached: an object of about 200 bytes as JSON, another one for each key. */
export function valueOf(key: string): unknown {
  return {
    id: key,
    name: 'Ada Lovelace',
    email: `${key}@example.org`,
    roles: ['admin', 'editor'],
    address: { street: '12 St James Square', city: 'London', zip: 'SW1Y 4LB' },
    visits: 1843,
    active: true,
    score: 0.25,
  }
}

/** A contestant at work on an empty server. */
export interface Session {
  readonly subject: RedisSubject
  /** Somebody else on the same server. */
  readonly admin: Redis
  /** How often anything was loaded. */
  readonly loads: number
  /** Another one like it, as another process would have. */
  another(): Promise<RedisSubject>
  end(): Promise<void>
}

export async function begin(
  name: RedisContestantName,
  { url, tags }: Pick<RedisSetup, 'url'> & Partial<Pick<RedisSetup, 'tags'>>,
): Promise<Session> {
  const admin = new Redis(url)
  await admin.flushall()
  await admin.config('RESETSTAT')
  const rival = await redisContestant(name)
  let loads = 0
  const load = (key: string): Promise<unknown> => {
    loads++
    return Promise.resolve(valueOf(key))
  }
  const setup = { url, pipelined: isPipelined(name), tags, load }
  const open: RedisSubject[] = []
  const another = async (): Promise<RedisSubject> => {
    const subject = await rival.open(setup)
    open.push(subject)
    return subject
  }
  const subject = await another()
  // It connects, and whatever it does once is done.
  const first = await subject.read('first')
  if (!isDeepStrictEqual(first, valueOf('first'))) throw new Error(`${rival.label} changes what it is given`)
  return {
    subject,
    admin,
    get loads() {
      return loads
    },
    another,
    async end() {
      for (const one of open) await one.close()
      admin.disconnect()
    },
  }
}

/** Makes so many calls, `atOnce` of them at a time. */
export async function callAll(
  count: number,
  call: (i: number) => Promise<unknown>,
  atOnce: number = inFlight,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) if ((await call(next++)) === undefined) throw new Error('a call found nothing')
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Has so many keys loaded and stored, and answers with them, and with what gives them in turn for ever. */
export async function fill(
  subject: RedisSubject,
  count: number,
): Promise<{ readonly keys: readonly string[]; readonly next: () => string }> {
  const keys = Array.from({ length: count }, (_, i) => `user:${i}`)
  await callAll(count, (i) => subject.read(keys[i]!))
  let at = 0
  return { keys, next: () => keys[(at = at + 1 === count ? 0 : at + 1)]! }
}
