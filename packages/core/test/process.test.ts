import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'

const core = new URL('../', import.meta.url)
const dist = new URL('dist/', core).href

beforeAll(() => {
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', core))
  execFileSync(process.execPath, [tsc, '-b', fileURLToPath(new URL('tsconfig.build.json', core))])
}, 120_000)

/** Runs a program in a process of its own, where a rejection nobody handles is the end; answers with what it printed. */
async function run(program: string): Promise<string> {
  const script = `
    import { createCache } from '${dist}index.js'
    import { fakeClock, mapStore, settle } from '${dist}testing/index.js'
    ${program}`
  const flags = ['--unhandled-rejections=strict', '--input-type=module', '-e', script]
  // A process that does not end by itself is killed, and fails the test.
  const { stdout } = await promisify(execFile)(process.execPath, flags, {
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  return stdout.trim()
}

describe('work in the background never takes the process down', () => {
  it('when a refresh rejects or throws at once', async () => {
    const printed = await run(`
      const clock = fakeClock()
      const cache = createCache({ store: mapStore(clock), clock, ttl: 100, refreshAhead: 0.5, errorTtl: 0 })
      let errors = 0
      cache.on('loadError', () => errors++)
      await cache.set('k', 'old')
      await clock.advance(50)
      await cache.getOrSet('k', () => Promise.reject(new Error('down')))
      await cache.drain()
      await cache.getOrSet('k', () => { throw undefined })
      await cache.drain()
      await new Promise((resolve) => setImmediate(resolve))
      console.log(errors, await cache.get('k'))`)
    expect(printed).toBe('2 old')
  })

  it('when a load fails behind a caller who was served a stale value, or left', async () => {
    const printed = await run(`
      const clock = fakeClock()
      const cache = createCache({ store: mapStore(clock), clock, ttl: 100, grace: 1000, timeouts: { soft: 0 } })
      await cache.set('k', 'old')
      await clock.advance(100)
      let fail
      const value = await cache.getOrSet('k', () => new Promise((_, reject) => { fail = reject }))
      await settle()
      fail(new Error('down'))
      const leaver = new AbortController()
      const left = cache.getOrSet('l', () => new Promise((_, reject) => { fail = reject }), { signal: leaver.signal })
      await settle()
      leaver.abort(new Error('bored'))
      const reason = await left.catch((error) => error.message)
      fail(new Error('too late'))
      await new Promise((resolve) => setImmediate(resolve))
      console.log(value, reason, cache.stats().loading)`)
    expect(printed).toBe('old bored 0')
  })

  it('when listeners, waitUntil and the store fail', async () => {
    const printed = await run(`
      const clock = fakeClock()
      const store = { ...mapStore(clock), local: undefined, set: () => Promise.reject(new Error('full')) }
      const cache = createCache({ store, clock, waitUntil() { throw new Error('no') } })
      let errors = 0
      for (const event of ['miss', 'load', 'error']) cache.on(event, async () => { throw new Error('listener') })
      cache.on('error', () => errors++)
      const value = await cache.getOrSet('k', () => 'v')
      await new Promise((resolve) => setImmediate(resolve))
      console.log(value, errors)`)
    expect(printed).toBe('v 3')
  })
})

describe('a process ends by itself', () => {
  it('after close, and without one where nothing is awaited', async () => {
    const program = `
      const cache = createCache({ store: mapStore({ now: Date.now }), ttl: '1d', timeouts: { hard: '1m' } })
      await cache.getOrSet('k', () => 'v')`
    expect(await run(`${program}\nawait cache.close()\nconsole.log('closed')`)).toBe('closed')
    expect(await run(`${program}\nconsole.log('idle')`)).toBe('idle')
  })
}, 60_000)
