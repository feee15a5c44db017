import type { Codec } from '@flow-cache/core'
import { checkConnection } from './connection.js'
import type { RedisStoreOptions } from './options.js'

/** The options of {@link redisStore}, for those who take them among others. */
export const storeOptionNames: readonly string[] = [
  'url',
  'options',
  'cluster',
  'client',
  'prefix',
  'codec',
  'compression',
  'encryption',
  'maxValueBytes',
  'timeout',
  'logLength',
  'heartbeat',
  'maxBlindness',
  'tagTtl',
  'clock',
]

/** Refuses options that are wrong, by name. */
export function checkOptions(options: RedisStoreOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('redisStore takes an object of options')
  for (const name of Object.keys(options)) {
    if (!storeOptionNames.includes(name)) {
      throw new TypeError(`redisStore: unknown option '${name}'; it takes ${storeOptionNames.join(', ')}`)
    }
    if ((options as Record<string, unknown>)[name] === null) throw new TypeError(`${name} must not be null`)
  }
  checkConnection(options)
  const { prefix, logLength, maxValueBytes, codec, clock, compression } = options
  if (codec !== undefined) checkCodec(codec)
  if (clock !== undefined && typeof clock.now !== 'function') throw new TypeError('clock must have now()')
  if (compression !== undefined && typeof compression !== 'boolean' && !isPlainObject(compression)) {
    throw new TypeError('compression must be true or an object of options')
  }
  if (options.options !== undefined && !isPlainObject(options.options)) {
    throw new TypeError('options must be an object of options for ioredis')
  }
  if (prefix !== undefined && typeof prefix !== 'string') throw new TypeError('prefix must be a string')
  for (const [name, value, least] of [
    ['logLength', logLength, 1],
    ['maxValueBytes', maxValueBytes, 1],
  ] as const) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
      throw new RangeError(`${name} must be a whole number of at least ${least}, got ${String(value)}`)
    }
  }
}

/** A codec's name stands before each value, in a byte's length of Latin-1 characters. */
function checkCodec(codec: Codec): void {
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new TypeError('codec must have encode(value, key) and decode(bytes, key), as jsonCodec does')
  }
  if (typeof codec.name !== 'string' || !/^[!-~]{1,100}$/.test(codec.name)) {
    throw new TypeError('codec.name must be 1 to 100 visible ASCII characters')
  }
}

const isPlainObject = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value))
