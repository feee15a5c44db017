import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where traces are looked for: `FLOW_CACHE_TRACES`, or `shared/traces` beside this repository. */
const usual = resolve(
  process.env['FLOW_CACHE_TRACES'] ?? fileURLToPath(new URL('../../../../shared/traces', import.meta.url)),
)

/** The files of traces: those named, those in folders that are named, or those in the usual folder. None is an error. */
export async function traceFiles(paths: readonly string[] = []): Promise<readonly string[]> {
  const files: string[] = []
  // pnpm runs this in bench/; what people name is relative to where they are.
  const named = paths.map((path) => resolve(process.env['INIT_CWD'] ?? '.', path))
  for (const path of named.length > 0 ? named : [usual]) {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) {
      throw new Error(
        `there are no traces at ${path}: name files or folders, or a folder in FLOW_CACHE_TRACES`,
      )
    }
    if (!found.isDirectory()) {
      files.push(path)
      continue
    }
    const names = (await readdir(path)).filter((name) => !name.endsWith('.md')).toSorted()
    if (names.length === 0) throw new Error(`there is no trace in ${path}`)
    files.push(...names.map((name) => join(path, name)))
  }
  return files
}
