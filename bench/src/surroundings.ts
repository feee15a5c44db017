import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, type } from 'node:os'

const manifest = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8')) as Record<string, unknown>

/** What the figures were measured on. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `Node ${process.versions.node} (V8 ${process.versions.v8}), ${availableParallelism()} × ${model}, ${type()}, load ${loadavg()[0]!.toFixed(1)}`
}

/** The versions of everything that takes part. */
export async function versions(): Promise<Readonly<Record<string, string>>> {
  const { devDependencies } = await manifest('../package.json')
  const found: Record<string, string> = {}
  for (const name of Object.keys(devDependencies as object)) {
    found[name] = String((await manifest(`../node_modules/${name}/package.json`))['version'])
  }
  return found
}
