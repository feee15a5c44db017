import type { Cache, Codec } from '@flow-cache/core'

/** Refuses what people gave, with a `TypeError` that names it and says what it must be. */
export function wrong(name: string, wanted: string, value: unknown): never {
  const shown = typeof value === 'string' ? `'${value.slice(0, 40)}'` : value === null ? 'null' : typeof value
  throw new TypeError(`${name} must be ${wanted}, got ${shown}`)
}

export function checkCache(value: unknown): void {
  // Not by its class: two copies of core may be installed.
  if (typeof (value as Cache | undefined)?.namespace !== 'function')
    wrong('cache', 'a cache of flow-cache', value)
}

export function checkCodec(value: unknown): void {
  const { name, encode, decode } = (value ?? {}) as Partial<Codec>
  if (typeof name !== 'string' || typeof encode !== 'function' || typeof decode !== 'function')
    wrong('codec', 'a codec, with a name, encode() and decode()', value)
}

/** Refuses options nobody knows: a misspelt one would be ignored in silence. */
export function checkNames(options: object, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null) wrong('options', 'an object', options)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option '${name}' in ${where}; known are ${known.join(', ')}`)
    }
  }
}
