import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { isAccessLog, keyOfLogLine } from './access-log.js'

/** Requests for keys, in the order they came. */
export interface Trace {
  readonly name: string
  /** The key of each request, numbered from 0 by first appearance. */
  readonly ids: Uint32Array
  /** How many keys there are. */
  readonly unique: number
  /** What was left out and why, for people to read. */
  readonly notes: readonly string[]
}

/**
 * Reads a trace by how its name ends, a further `.gz` aside: `.u32`, little-endian numbers of keys; `.log`, an access
 * log; anything else, a key in each line, unless the lines are those of an access log.
 */
export async function readTrace(path: string): Promise<Trace> {
  const raw = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new Error(`there is no file ${path}`, { cause })
    if (cause.code === 'EISDIR') throw new Error(`${path} is a folder, and has to be a file`, { cause })
    throw cause
  })
  const bytes = path.endsWith('.gz')
    ? await promisify(gunzip)(raw).catch((cause: unknown) => {
        throw new Error(`${path} cannot be unpacked: ${(cause as Error).message}`, { cause })
      })
    : raw
  const file = basename(path).replace(/\.gz$/, '')
  const trace = file.endsWith('.u32')
    ? ofNumbers(file, bytes)
    : ofLines(file, bytes.toString('utf8'), file.endsWith('.log'))
  if (trace.ids.length > 0) return trace
  throw new Error(`there is no request in ${path}${trace.notes.map((note) => `; ${note}`).join('')}`)
}

/** A trace of 32-bit numbers. */
export function ofNumbers(name: string, bytes: Uint8Array): Trace {
  if (bytes.length % 4 !== 0) throw new Error(`${name} must hold 4 bytes a request, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const keys = Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true))
  return ofKeys(name.replace(/\.u32$/, ''), keys, [])
}

/** A trace of lines: keys, or those of an access log. Empty lines are none. */
export function ofLines(name: string, text: string, isLog: boolean): Trace {
  const lines = text.split(/\r?\n/).filter((line) => line !== '')
  if (!isLog && !isAccessLog(lines)) return ofKeys(name, lines, [])
  const keys: string[] = []
  let writes = 0
  let unclear = 0
  for (const line of lines) {
    const key = keyOfLogLine(line)
    if (key === undefined) unclear++
    else if (key === null) writes++
    else keys.push(key)
  }
  const notes: string[] = []
  if (writes > 0) notes.push(`${writes} of ${lines.length} lines are of other methods than GET and HEAD`)
  if (unclear > 0) notes.push(`${unclear} of ${lines.length} lines are not in the common log format`)
  return ofKeys(name, keys, notes)
}

function ofKeys<K>(name: string, keys: readonly K[], notes: readonly string[]): Trace {
  const numbers = new Map<K, number>()
  const ids = new Uint32Array(keys.length)
  for (const [i, key] of keys.entries()) {
    let id = numbers.get(key)
    if (id === undefined) numbers.set(key, (id = numbers.size))
    ids[i] = id
  }
  return { name, ids, unique: numbers.size, notes }
}
