import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** What was read, one key after the other. */
export interface Trace {
  readonly name: string
  /** A number for each access, from 0 to `keys` − 1, counted by first appearance. */
  readonly ids: Uint32Array
  readonly keys: number
}

/** Where traces are looked for: `FLOW_CACHE_TRACES`, or `shared/traces` beside this repository. */
const tracesFolder: string = resolve(
  process.env['FLOW_CACHE_TRACES'] ?? fileURLToPath(new URL('../../../shared/traces', import.meta.url)),
)

/** Every trace there is: gzipped little-endian numbers, one of 32 bits for each access. None is an error. */
export async function readTraces(): Promise<readonly Trace[]> {
  const files = await readdir(tracesFolder).catch(() => [])
  const names = files.filter((name) => name.endsWith('.u32.gz')).toSorted()
  if (names.length === 0) {
    throw new Error(`no traces (*.u32.gz) in ${tracesFolder}: name a folder in FLOW_CACHE_TRACES`)
  }
  return Promise.all(names.map(async (name) => readTrace(join(tracesFolder, name))))
}

/** One trace. */
async function readTrace(file: string): Promise<Trace> {
  const bytes = gunzipSync(await readFile(file))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ids = Uint32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getUint32(4 * i, true))
  const keys = ids.reduce((most, id) => Math.max(most, id + 1), 0)
  return { name: file.replace(/^.*[/\\]/, '').replace(/\.u32\.gz$/, ''), ids, keys }
}
