import { Command, type Redis } from 'ioredis'

/** What a command is made of, beside its name. */
export type Argument = string | Buffer | number

/**
 * Runs a script that the server knows, on a connection to one. Answers with bytes where Redis answers with text.
 *
 * The command is turned into bytes here: with a key and a value for each of many callers, ioredis takes longer over that
 * than the server over the script.
 */
export function callScript(
  client: Redis,
  sha: string,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  const call = new ScriptCall(bytesOf(['evalsha', sha, keys.length, ...keys, ...args]))
  return client.sendCommand(call) as Promise<unknown>
}

class ScriptCall extends Command {
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    super('evalsha', [], { replyEncoding: null })
    this.#bytes = bytes
  }

  override toWritable(): Buffer {
    return this.#bytes
  }
}

/** A command in Redis's protocol. Texts that follow each other are written at once. */
export function bytesOf(parts: readonly Argument[]): Buffer {
  const pieces: (string | Buffer)[] = []
  let text = `*${parts.length}\r\n`
  let size = 0
  const end = (): void => {
    pieces.push(text)
    size += Buffer.byteLength(text)
  }
  for (const part of parts) {
    if (typeof part === 'object') {
      text += `$${part.length}\r\n`
      end()
      pieces.push(part)
      size += part.length
      text = '\r\n'
    } else {
      const own = typeof part === 'string' ? part : String(part)
      text += `$${Buffer.byteLength(own)}\r\n${own}\r\n`
    }
  }
  end()
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') at += bytes.write(piece, at)
    else {
      bytes.set(piece, at)
      at += piece.length
    }
  }
  return bytes
}
