import { type RedisServer, startRedis } from '@flow-cache/servers'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { build, kinds, type Round, startSteps } from './step-process.js'

beforeAll(build, 120_000)

const faults = {
  'is killed': async (server: RedisServer) => server.kill(),
  hangs: async (server: RedisServer) => server.pause(),
} as const

const answers = (x: string): Partial<Round> => {
  const upper = x.toUpperCase()
  return { node: upper, fn: upper, map: [upper, upper + upper], stream: [x, upper] }
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('10. steps on %s whose server', (kind) => {
  describe.each(Object.keys(faults) as (keyof typeof faults)[])('%s', (fault) => {
    it.each(['ignore', 'throw'] as const)(
      "answer all the same with onStoreError: '%s', reject nothing behind anybody's back, and tell of it",
      async (onStoreError) => {
        const server = await startRedis()
        onTestFinished(async () => server.stop())
        const steps = await startSteps(server.url, kind, onStoreError)
        expect(await steps.call('a')).toMatchObject({ ...answers('a'), events: 0 })
        const before = await steps.call('a')
        expect(before).toMatchObject({ ...answers('a'), runs: { node: 1, fn: 1, map: 1, stream: 1 } })

        expect(await steps.begin('b')).toBe('b')
        await faults[fault](server)
        const half = await steps.finish()
        expect(half.stream).toEqual(['B'])
        const during = await steps.call('c')
        expect(during).toMatchObject(answers('c'))
        expect(during.events).toBeGreaterThan(before.events)
        // What the fault costs is the cache, never a second run.
        expect(during.runs).toEqual({ node: 2, fn: 2, map: 2, stream: 3 })
        expect(await steps.call('a')).toMatchObject(answers('a'))

        if (fault === 'hangs') server.resume()
        else await server.restart()
        // The circuit lets the first call through after a second; then entries are kept again.
        await expect
          .poll(
            async () => {
              const { runs } = await steps.call('d')
              return Object.values((await steps.call('d')).runs).join() === Object.values(runs).join()
            },
            { timeout: 30_000, interval: 200 },
          )
          .toBe(true)
        expect(await steps.call('d')).toMatchObject(answers('d'))
        expect(await steps.end()).toBe(0)
      },
      60_000,
    )
  })
})
