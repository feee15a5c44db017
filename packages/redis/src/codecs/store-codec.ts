import type { Codec } from '@flow-cache/core'
import { plainCodec } from '@flow-cache/core/codec'
import type { RedisStoreOptions } from '../options.js'
import { compressed } from './compressed.js'
import { encrypted } from './encrypted.js'
import { limited } from './limited.js'

/** What turns a store's values into bytes, with the bounds, the compression and the encryption that stand around it. */
export function storeCodec({
  codec = plainCodec,
  compression,
  encryption,
  maxValueBytes,
}: RedisStoreOptions): Codec {
  const maxBytes = maxValueBytes ?? 16 * 2 ** 20
  let made = limited(codec, maxBytes)
  if (compression !== undefined && compression !== false) {
    made = compressed(made, { maxBytes, ...(compression === true ? {} : compression) })
  }
  return encryption === undefined ? made : encrypted(made, encryption)
}
