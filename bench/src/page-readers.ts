import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * The process of those who look: opens so many streams of server-sent events, reads what comes, and says `open` once
 * each of them has been told something. Its input's end ends it.
 */
const [port, count] = process.argv.slice(2).map(Number) as [number, number]
const request = 'GET /cache/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n'
/** A server lets so many wait to be accepted, and more. */
const atOnce = 100

async function open(): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => process.exit(1))
  socket.write(request)
  await once(socket, 'data')
  socket.resume()
}

for (let left = count; left > 0; left -= atOnce) {
  await Promise.all(Array.from({ length: Math.min(left, atOnce) }, open))
}
process.stdout.write('open')
process.stdin.resume().on('end', () => process.exit(0))
