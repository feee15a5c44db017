import { randomUUID } from 'node:crypto'
import { gate } from '@flow-cache/core/testing'
import { redisUrl } from '@flow-cache/servers/vitest'
import { expect, it } from 'vitest'
import { openOrigin } from './open-origin.js'
import { programOf, startService } from './program.js'

const patience = { timeout: 30_000 }

it('two processes share one load, hear of a change, and end in order', async () => {
  const first = gate()
  const slow = gate()
  let price = '40'
  await using origin = await openOrigin(async ({ url }, response) => {
    if (url === '/chair') await slow.wait()
    if (origin.asked.length === 1) await first.wait()
    response.end(price)
  })
  const program = await programOf('src/two-processes.ts')
  const env = { REDIS_URL: redisUrl(), ORIGIN: origin.url, PREFIX: `two-${randomUUID()}:` }
  const services = await Promise.all([startService(program, env), startService(program, env)])
  const [here, there] = services
  const ask = async ({ url }: { url: string }, method = 'GET') =>
    (await fetch(`${url}/lamp`, { method, headers: { connection: 'close' } })).text()

  const readers = Promise.all(Array.from({ length: 40 }, (_, n) => ask(services[n % 2]!)))
  await first.arrived
  first.open()
  expect(new Set(await readers)).toEqual(new Set(['40']))
  expect(origin.asked).toHaveLength(1)

  // The origin changes, and one process is told.
  price = '50'
  expect(await ask(here, 'PUT')).toBe('thanks')
  expect(await ask(here)).toBe('50')
  await expect.poll(() => ask(there), patience).toBe('50')
  expect(origin.asked).toHaveLength(2)

  // Both are told to end, one of them in the middle of a load.
  const last = fetch(`${here.url}/chair`)
  await slow.arrived
  const ends = Promise.all(services.map((service) => service.end('SIGTERM')))
  const knock = () =>
    ask(here).then(
      () => 'open',
      () => 'closed',
    )
  await expect.poll(knock, patience).toBe('closed')
  slow.open()
  expect(await (await last).text()).toBe('50')
  expect(await ends).toEqual([0, 0])
}, 120_000)
