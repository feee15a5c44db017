import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { redisUrl } from '@flow-cache/servers/vitest'
import { beforeAll, describe, expect, it } from 'vitest'
import { folder } from './write-behind/folder.js'
import { build } from './write-behind/writing-process.js'

const packages = new URL('../../', import.meta.url)
const dist = (path: string): string => fileURLToPath(new URL(path, packages))

beforeAll(build, 120_000)

/** Runs a program in a process of its own, where a rejection nobody handles is the end; answers with what it printed. */
async function run(program: string): Promise<string> {
  const script = `
    import { rmSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { InMemoryCache } from '${dist('memory/dist/index.js')}'
    import { redisJournal } from '${dist('redis/dist/index.js')}'
    import * as strategies from '${dist('strategies/dist/index.js')}'
    import { fileJournal } from '${dist('strategies/dist/file-journal.js')}'
    const { CacheAside, ReadThrough, RefreshAhead, SmartCache, WriteAround, WriteThroughCache } = strategies
    const { memoryJournal, WriteBehindCache } = strategies
    const cache = new InMemoryCache({ ttl: 200, errorTtl: 0 })
    const fails = () => { throw new Error('down') }
    const rejects = async () => { throw undefined }
    const code = (promise) => promise.then(() => 'fine', (error) => error?.code ?? error?.message ?? 'nothing')
    ${program}`
  // A process that does not end by itself is killed, and fails the test.
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--unhandled-rejections=strict', '--input-type=module', '-e', script],
    { timeout: 60_000, killSignal: 'SIGKILL' },
  )
  return stdout.trim()
}

describe('nothing that fails takes the process down', () => {
  it('an origin that is read and written, and whoever leaves', async () => {
    const printed = await run(`
      const found = []
      for (const bad of [fails, rejects, () => 'no map']) {
        const origin = { read: bad === fails || bad === rejects ? bad : fails, readMany: bad, write: bad === rejects ? rejects : fails, delete: fails }
        for (const Strategy of [CacheAside, ReadThrough, WriteThroughCache, WriteAround, RefreshAhead]) {
          const strategy = new Strategy({ cache, origin })
          found.push(await code(strategy.get('k')), await code(strategy.get('k', { signal: AbortSignal.abort(new Error('left')) })))
          if (strategy.set) found.push(await code(strategy.set('k', 1)), await code(strategy.setMany({ a: 1, b: 2 })))
          // Without waiting for it.
          const leaver = new AbortController()
          const left = strategy.get('l', { signal: leaver.signal })
          leaver.abort(new Error('left'))
          found.push(await code(left))
          await strategy.close?.()
        }
      }
      await sleep(20)
      await cache.close()
      console.log(found.length, found.includes('fine'))`)
    expect(printed).toBe('57 false')
  })

  it('a refresh in the background', async () => {
    const printed = await run(`
      let reads = 0
      const origin = { read: async () => { if (reads++ > 0) throw new Error('down'); return 'v' } }
      const ahead = new RefreshAhead({ cache, origin, factor: 0.2 })
      for (const event of ['loadError', 'refresh', 'error']) try { cache.on(event, async () => { throw new Error('listener') }) } catch {}
      await ahead.get('k')
      while (reads < 2) { await ahead.get('k').catch(() => {}); await sleep(5) }
      await sleep(20)
      await ahead.close()
      await cache.close()
      console.log('lives')`)
    expect(printed).toBe('lives')
  })

  it('isStale and the loaders of a SmartCache', async () => {
    const printed = await run(`
      const found = []
      for (const isStale of [fails, rejects]) {
        await cache.clear()
        const smart = new SmartCache({ cache, isStale })
        await smart.set('k', 1, { dependsOn: ['p'] })
        found.push(await code(smart.get('k')))
        await code(smart.getOrSet('k', fails))
        await smart.invalidate('p')
        found.push(await code(smart.getOrSet('k', fails)), await code(smart.getOrSet('k', rejects)))
      }
      await sleep(20)
      await cache.close()
      console.log(found.join())`)
    expect(printed).toBe('down,down,nothing,isStale must answer at once, and not with a promise,down,nothing')
  })

  it('an origin, listeners and retryable of write-behind', async () => {
    const printed = await run(`
      const origin = { read: fails, write: fails, delete: rejects, writeMany: rejects }
      let asked = 0
      const retryable = () => (asked++ % 2 ? fails() : rejects())
      const behind = new WriteBehindCache({ cache, origin, flushInterval: 5, retry: { minDelay: 1, maxDelay: 5, attempts: 3, retryable } })
      const names = ['accept', 'apply', 'retry', 'deadLetter', 'full', 'flush', 'originDown', 'originUp', 'error']
      for (const [i, name] of names.entries()) behind.on(name, i % 2 ? fails : rejects)
      for (let n = 0; n < 20; n++) await behind.set('k' + n, n)
      await behind.delete('k3')
      await code(behind.get('other'))
      while ((await behind.deadLetters()).length < 20) await sleep(5)
      const report = await behind.close({ deadline: 100 })
      await cache.close()
      console.log(JSON.stringify(report))`)
    expect(JSON.parse(printed)).toEqual({ flushed: 0, pending: 0, dead: 20 })
  })

  it('a journal whose methods throw, reject or never answer', async () => {
    const printed = await run(`
      const found = []
      const origin = { read: () => 1, write: () => {}, delete: () => {} }
      for (const bad of [fails, rejects]) for (const name of ['put', 'claim', 'ack', 'fail', 'read', 'counts', 'close']) {
        const journal = { ...memoryJournal(), ...(name === 'read' && { local: undefined }), [name]: bad }
        const behind = new WriteBehindCache({ cache, origin, journal, flushInterval: 1, maxPending: 4 })
        await code(behind.set('k', 1)); await code(behind.delete('l')); await code(behind.get('k')); await code(behind.getMany(['k', 'm']))
        await sleep(10)
        await code(behind.flush()); await code(behind.stats())
        found.push(await code(behind.close({ deadline: 20 })))
      }
      await cache.close()
      console.log(found.length)`)
    expect(printed).toBe('14')
  })

  it('a file journal whose directory is taken away, and a Redis that is not there', async () => {
    const directory = folder()
    const printed = await run(`
      const origin = { read: () => 1, write: rejects, delete: () => {} }
      const file = new WriteBehindCache({ cache, origin, journal: fileJournal('${directory}/j', { segmentBytes: 100 }), flushInterval: 1 })
      await file.set('k', 1)
      rmSync('${directory}/j', { recursive: true })
      for (let n = 0; n < 50; n++) await code(file.set('k' + n, n))
      const redis = new WriteBehindCache({ cache, origin, journal: redisJournal({ url: 'redis://127.0.0.1:1' }), flushInterval: 1 })
      const refused = await code(redis.set('k', 1))
      await sleep(50)
      await code(file.close({ deadline: 50 })); await code(redis.close({ deadline: 50 }))
      await cache.close()
      console.log(refused)`)
    expect(printed).toBe('ERR_JOURNAL')
  })
}, 120_000)

describe('a process ends by itself', () => {
  const strategies: Readonly<Record<string, string>> = {
    CacheAside: 'new CacheAside({ cache, origin })',
    ReadThrough: `new ReadThrough({ cache, origin, gatherFor: '1ms' })`,
    WriteThroughCache: 'new WriteThroughCache({ cache, origin })',
    WriteAround: 'new WriteAround({ cache, origin })',
    RefreshAhead: 'new RefreshAhead({ cache, origin })',
    SmartCache: 'new SmartCache({ cache })',
    'WriteBehindCache with a memory journal': 'new WriteBehindCache({ cache, origin })',
    'WriteBehindCache with a file journal': `new WriteBehindCache({ cache, origin, journal: fileJournal(FOLDER, { fsync: '1h' }) })`,
    'WriteBehindCache with a journal in Redis': `new WriteBehindCache({ cache, origin, journal: redisJournal({ url: URL, prefix: FOLDER }) })`,
  }
  for (const [name, made] of Object.entries(strategies)) {
    it(`after close: ${name}`, async () => {
      const expression = made
        .replaceAll('FOLDER', JSON.stringify(folder()))
        .replaceAll('URL', JSON.stringify(redisUrl()))
      const printed = await run(`
        const origin = { read: () => 1, readMany: () => new Map(), write: () => {}, delete: () => {} }
        const strategy = ${expression}
        await (strategy.getOrSet ?? strategy.get).call(strategy, 'k', () => 1)
        await strategy.set?.('k', 1)
        await strategy.close?.()
        await cache.close()
        console.log('closed')`)
      expect(printed).toBe('closed')
    })
  }

  it('without one, where timers are all that is left', async () => {
    const printed = await run(`
      const origin = { read: () => 1, write: () => {}, delete: () => {} }
      const ahead = new RefreshAhead({ cache, origin })
      const behind = new WriteBehindCache({ cache, origin })
      await ahead.get('k')
      await behind.set('l', 1)
      console.log('idle')`)
    expect(printed).toBe('idle')
  })
}, 120_000)
