/** The part of Node's `Buffer` used here. */
interface Buffers {
  from(text: string): Uint8Array
  from(buffer: ArrayBufferLike, offset?: number, length?: number): Buffer
  isBuffer(value: Uint8Array): value is Buffer
}

type Buffer = Uint8Array & { toString(encoding: 'utf8'): string }

/** Node's `Buffer` where the platform has it: with short texts it is several times as fast as what all platforms have. */
export const Buffers: Buffers | undefined = (globalThis as { readonly Buffer?: Buffers }).Buffer
