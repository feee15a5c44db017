import { Redis } from 'ioredis'
import { ttl } from '../contestant.js'
import type { RedisContestant } from './contestant.js'

/** By hand, and without protection from a stampede: `GET` and `JSON.parse`. What everyone else is compared with. */
export const ioredis: RedisContestant = {
  label: 'ioredis, `GET` and `JSON.parse`',
  packages: ['ioredis'],
  tagged: false,
  open({ url, pipelined, load }) {
    const client = new Redis(url, { enableAutoPipelining: pipelined })
    const get = async (key: string): Promise<unknown> => {
      const text = await client.get(`raw:${key}`)
      return text === null ? undefined : (JSON.parse(text) as unknown)
    }
    return {
      get,
      async read(key) {
        const found = await get(key)
        if (found !== undefined) return found
        const value = await load(key)
        await client.set(`raw:${key}`, JSON.stringify(value), 'PX', ttl)
        return value
      },
      async getMany(keys) {
        const texts = await client.mget(keys.map((key) => `raw:${key}`))
        return texts.map((text) => (text === null ? undefined : (JSON.parse(text) as unknown)))
      },
      close: () => client.disconnect(),
    }
  },
}
