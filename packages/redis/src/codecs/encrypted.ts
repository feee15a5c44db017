// placeholder
import type { Codec } from '@flow-cache/core'
export interface EncryptionOptions {
  readonly keys: Readonly<Record<string, Uint8Array | string>>
  readonly current?: string | undefined
}
export function encrypted(codec: Codec, _options: EncryptionOptions): Codec {
  return codec
}
