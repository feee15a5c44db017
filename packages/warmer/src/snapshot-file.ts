import { CacheError, keyOf } from '@flow-cache/core'

/** A hot key, and when its entry ends: milliseconds since the epoch, or `null` for never. */
export type HotKey = readonly [key: string, endsAt: number | null]

interface Contents {
  readonly format: 'flow-cache hot keys'
  readonly version: 1
  /** The namespace the keys are of. */
  readonly namespace: string
  /** A digest of the keys: a file that was cut off or changed is known by it. */
  readonly digest: string
  readonly keys: readonly HotKey[]
}

/** Writes the file as a whole: who reads it at the same time has the old one or the new one. */
export async function writeSnapshot(file: string, namespace: string, keys: readonly HotKey[]): Promise<void> {
  const { rename, rm, writeFile } = await import('node:fs/promises')
  const contents: Contents = {
    format: 'flow-cache hot keys',
    version: 1,
    namespace,
    digest: digestOf(namespace, keys),
    keys,
  }
  const part = `${file}.${process.pid}.part`
  try {
    await writeFile(part, JSON.stringify(contents), { flush: true })
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Reads the file. One that is missing, damaged, or of something else is a `CacheError`, `ERR_SNAPSHOT`. */
export async function readSnapshot(file: string, namespace: string): Promise<readonly HotKey[]> {
  const { readFile } = await import('node:fs/promises')
  const fail = (what: string, cause?: unknown): never => {
    throw new CacheError('ERR_SNAPSHOT', `${file} ${what}`, { cause })
  }
  const text = await readFile(file, 'utf8').catch((error: unknown) => fail('cannot be read', error))
  let contents: Partial<Contents> | null
  try {
    contents = JSON.parse(text) as Partial<Contents> | null
  } catch (error) {
    return fail('is no snapshot of keys, or is damaged', error)
  }
  if (contents?.format !== 'flow-cache hot keys') return fail('is no snapshot of keys')
  if (contents.version !== 1) return fail(`has the version ${String(contents.version)}, not 1`)
  const { keys } = contents
  if (!isKeys(keys) || contents.digest !== digestOf(contents.namespace ?? '', keys)) return fail('is damaged')
  if (contents.namespace !== namespace) {
    return fail(`holds keys of the namespace '${contents.namespace}', and the cache is '${namespace}'`)
  }
  return keys
}

/** Of their JSON, in which every string is well formed: half a character in one key is no reason to fail. */
const digestOf = (namespace: string, keys: readonly HotKey[]): string =>
  keyOf(JSON.stringify([namespace, keys]), { maxBytes: Infinity })

const isKeys = (keys: unknown): keys is readonly HotKey[] =>
  Array.isArray(keys) &&
  keys.every(
    (one: unknown) =>
      Array.isArray(one) &&
      typeof one[0] === 'string' &&
      one[0] !== '' &&
      (one[1] === null || Number.isFinite(one[1])),
  )
