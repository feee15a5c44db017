import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Proxy, startProxy } from '@flow-cache/servers'
import { expect, it, onTestFinished, vi } from 'vitest'
import { clientOf, echo, serverOf } from './sockets.js'

// Machines are slow at times.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

async function proxyTo(port: number): Promise<Proxy> {
  const proxy = await startProxy({ host: '127.0.0.1', port })
  onTestFinished(() => proxy.close())
  return proxy
}

/** Long enough for what could pass to have passed. */
const soon = (): Promise<void> => sleep(40)

it('passes what both sides say, and counts it', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const client = await clientOf(proxy.port)
  client.socket.write('hello')
  await client.hears('hello')
  const [connection] = proxy.connections
  expect(connection).toMatchObject({ bytesToServer: 5, bytesToClient: 5 })
  expect(connection?.port).toBe(server.sockets[0]?.remotePort)
})

it('takes the port alone for a server on this machine', async () => {
  const server = await echo()
  await using proxy = await startProxy(server.port)
  const client = await clientOf(proxy.port)
  client.socket.write('hello')
  await client.hears('hello')
})

it('passes the end of one side and leaves the other open', async () => {
  const server = await serverOf((socket) => {
    socket.resume()
    socket.once('end', () => socket.end('goodbye'))
  })
  const proxy = await proxyTo(server.port)
  const client = await clientOf(proxy.port)
  client.socket.end('hello')
  await client.hears('goodbye')
  await vi.waitFor(() => expect(client.state).toBe('close'))
  await vi.waitFor(() => expect(proxy.connections).toEqual([]))
})

it('in a black hole nothing passes and nothing ends, on old connections and new ones, until it heals', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const before = await clientOf(proxy.port)
  before.socket.write('1')
  await before.hears('1')

  proxy.blackhole()
  const during = await clientOf(proxy.port)
  await vi.waitFor(() => expect(server.sockets).toHaveLength(2))
  for (const client of [before, during]) client.socket.write('lost')
  for (const socket of server.sockets) socket.write('also lost')
  server.sockets[0]?.end()
  await soon()
  expect([before.heard, before.state]).toEqual(['1', 'open'])
  expect([during.heard, during.state]).toEqual(['', 'open'])
  expect(proxy.connections.map((connection) => connection.bytesToServer)).toEqual([1, 0])

  proxy.heal()
  await before.hears('also lost')
  await during.hears('lost')
  await vi.waitFor(() => expect(before.state).not.toBe('open'))
  expect(during.state).toBe('open')
})

it('a client that dies in a black hole is alive to the server until it heals', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const client = await clientOf(proxy.port)
  client.socket.write('1')
  await client.hears('1')
  const [socket] = server.sockets
  proxy.blackhole()
  client.socket.resetAndDestroy()
  await soon()
  expect(socket?.destroyed).toBe(false)
  expect(proxy.connections).toHaveLength(1)
  proxy.heal()
  await vi.waitFor(() => expect(socket?.destroyed).toBe(true))
  await vi.waitFor(() => expect(proxy.connections).toEqual([]))
})

it('a delay holds back each way, and keeps the order', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const client = await clientOf(proxy.port)
  proxy.delay(50)
  const begin = performance.now()
  for (const text of ['a', 'b', 'c']) {
    client.socket.write(text)
    await sleep(2)
  }
  await client.hears('abc')
  expect(performance.now() - begin).toBeGreaterThanOrEqual(100)

  client.socket.write('slow ')
  await soon()
  proxy.delay(0)
  client.socket.write('quick')
  await client.hears('slow quick')
})

it('a delay may be another one each way', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const client = await clientOf(proxy.port)
  client.socket.write('hello')
  await client.hears('hello')
  for (const [word, toServer, toClient] of [
    ['there', 300, 0],
    ['back', 0, 300],
  ] as const) {
    proxy.delay(toServer, toClient)
    const heard = once(server.sockets[0]!, 'data').then(() => performance.now())
    const begin = performance.now()
    client.socket.write(word)
    await client.hears(word)
    expect(performance.now() - begin).toBeGreaterThanOrEqual(299)
    const half = (await heard) - begin
    if (word === 'there') expect(half).toBeGreaterThanOrEqual(299)
    else expect(half).toBeLessThan(299)
  }
})

it('hanging up ends it for the client, and what that had said reaches the server, and then the end', async () => {
  let said = ''
  let ended = false
  const server = await serverOf((socket) => {
    socket.on('data', (bytes) => (said += bytes.toString()))
    socket.once('end', () => {
      ended = true
      socket.end('too late')
    })
  })
  const proxy = await proxyTo(server.port)
  const client = await clientOf(proxy.port)
  proxy.delay(100, 0)
  client.socket.write('last words')
  await soon()
  proxy.hangUp()
  await vi.waitFor(() => expect(client.state).not.toBe('open'))
  expect([said, ended]).toEqual(['', false])
  await vi.waitFor(() => expect([said, ended]).toEqual(['last words', true]))
  await vi.waitFor(() => expect(proxy.connections).toEqual([]))
  expect(client.heard).toBe('')
})

it('a cut ends the connections there are, for both sides; new ones pass', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const [one, two] = [await clientOf(proxy.port), await clientOf(proxy.port)]
  for (const { socket } of [one, two]) socket.write('1')
  for (const client of [one, two]) await client.hears('1')
  const ended = server.sockets.map((socket) => once(socket, 'close'))
  proxy.cut()
  await Promise.all(ended)
  await vi.waitFor(() => expect([one.state, two.state]).not.toContain('open'))
  expect(proxy.connections).toEqual([])
  const three = await clientOf(proxy.port)
  three.socket.write('1')
  await three.hears('1')
})

it('refuses new connections until it heals, on the same port; those that are open go on', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const old = await clientOf(proxy.port)
  for (const round of ['1', '2']) {
    proxy.refuse()
    proxy.refuse()
    await expect(clientOf(proxy.port)).rejects.toThrow('ECONNREFUSED')
    old.socket.write(round)
    await old.hears(round)
    proxy.heal()
    proxy.heal()
    const client = await clientOf(proxy.port)
    client.socket.write('1')
    await client.hears('1')
  }
  // In one breath: the last word holds.
  proxy.refuse()
  proxy.heal()
  proxy.refuse()
  await vi.waitFor(() => expect(clientOf(proxy.port)).rejects.toThrow('ECONNREFUSED'))
})

it('does it to one connection and to no other', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  const [one, two] = [await clientOf(proxy.port), await clientOf(proxy.port)]
  for (const client of [one, two]) {
    client.socket.write('1')
    await client.hears('1')
  }
  const [first, second] = proxy.connections
  first?.blackhole()
  for (const { socket } of [one, two]) socket.write('2')
  await two.hears('2')
  await soon()
  expect(one.heard).toBe('1')
  first?.heal()
  await one.hears('2')
  second?.cut()
  await vi.waitFor(() => expect(two.state).not.toBe('open'))
  expect(one.state).toBe('open')
  await vi.waitFor(() => expect(proxy.connections).toEqual([first]))
})

it('tells the client when nobody listens behind it', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  server.server.close()
  const client = await clientOf(proxy.port)
  await vi.waitFor(() => expect(client.state).toBe('close'))
  await vi.waitFor(() => expect(proxy.connections).toEqual([]))
})

it('reads no further than the other side does, and loses nothing', async () => {
  const block = randomBytes(1024 * 1024)
  const blocks = 64
  const server = await serverOf((socket) => {
    for (let i = 0; i < blocks; i++) socket.write(block)
    socket.end()
  })
  const proxy = await proxyTo(server.port)
  const { socket } = await clientOf(proxy.port)
  socket.pause()
  await vi.waitFor(() => expect(proxy.connections[0]?.bytesToClient).toBeGreaterThan(0))
  // Until it stands still.
  for (let last = 0; last !== proxy.connections[0]?.bytesToClient;) {
    last = proxy.connections[0]?.bytesToClient ?? 0
    await sleep(100)
  }
  expect(server.sockets[0]?.writableLength).toBeGreaterThan(0)
  expect(proxy.connections[0]?.bytesToClient).toBeLessThan(blocks * block.length * 0.75)

  const hash = createHash('sha1')
  let size = 0
  socket.on('data', (bytes) => {
    hash.update(bytes)
    size += bytes.length
  })
  socket.resume()
  await once(socket, 'end')
  const all = createHash('sha1')
  for (let i = 0; i < blocks; i++) all.update(block)
  expect(size).toBe(blocks * block.length)
  expect(hash.digest('hex')).toBe(all.digest('hex'))
})

it('keeps little of what is said into a black hole', async () => {
  const server = await echo()
  const proxy = await proxyTo(server.port)
  proxy.blackhole()
  const { socket } = await clientOf(proxy.port)
  const text = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 64; i++) socket.write(text)
  await soon()
  expect(socket.writableLength).toBeGreaterThan(0)
  proxy.heal()
  await vi.waitFor(() => expect(socket.bytesRead).toBe(64 * text.length), 10_000)
})

it('leaves neither socket nor timer behind, whatever it was in the middle of', async () => {
  const server = await echo()
  const counts = (): string[] => process.getActiveResourcesInfo().filter((name) => /^TCP|^Timeout/.test(name))
  const proxy = await startProxy(server.port)
  const clients = await Promise.all(Array.from({ length: 5 }, () => clientOf(proxy.port)))
  proxy.delay(60_000)
  for (const { socket } of clients) socket.write('1')
  await vi.waitFor(() => expect(server.sockets).toHaveLength(5))
  proxy.blackhole()
  clients[0]?.socket.resetAndDestroy()
  proxy.refuse()
  proxy.heal()
  await proxy.close()
  await proxy.close()
  await vi.waitFor(() => expect(server.sockets.every(({ readyState }) => readyState !== 'open')).toBe(true))
  for (const { socket } of clients) socket.destroy()
  for (const socket of server.sockets) socket.destroy()
  server.server.close()
  await vi.waitFor(() => expect(counts().filter((name) => name.startsWith('TCP'))).toEqual([]))
  await expect(clientOf(proxy.port)).rejects.toThrow('ECONNREFUSED')
})
