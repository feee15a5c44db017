import { Command } from 'ioredis'
import { expect, it } from 'vitest'
import { type Argument, bytesOf } from './script-call.js'

it.each<[string, readonly Argument[]]>([
  ['no arguments', []],
  ['texts', ['a', '', 'é\u{1f600}', 'x'.repeat(100_000)]],
  ['numbers', [0, -1.5, 1e15, 1_700_000_000_000.25]],
  ['bytes', [Buffer.alloc(0), Buffer.from([0, 10, 13, 255])]],
  ['all of them in turn', ['a', Buffer.from('b'), 3, '', Buffer.from('é'), Buffer.alloc(70_000), 'end']],
])('writes the bytes that ioredis would: %s', (_, args) => {
  const theirs = Buffer.from(new Command('evalsha', [...args]).toWritable({}))
  expect(bytesOf(['evalsha', ...args]).equals(theirs)).toBe(true)
})
