import { doNotCache, type DoNotCache, type JournaledWrite, type LoadContext } from '@flow-cache/core'
import type { WriteBehindEvents } from './events.js'
import type { Listeners } from './listeners.js'
import type { Settings } from './options.js'

/** Answers for keys that the cache has not: with what is pending, or else from the origin. */
export class Reading<V> {
  readonly #settings: Settings<V>
  readonly #listeners: Listeners<WriteBehindEvents>

  constructor(settings: Settings<V>, listeners: Listeners<WriteBehindEvents>) {
    this.#settings = settings
    this.#listeners = listeners
  }

  /** What this process knows to be pending, at once; `undefined` also where only the journal could tell. */
  own(key: string): JournaledWrite | undefined {
    return this.#settings.journal.local?.read(key)
  }

  /** A load of the cache: what is pending, or else the origin. */
  async load(key: string, { signal }: LoadContext): Promise<V | undefined | DoNotCache<V | undefined>> {
    const { origin } = this.#settings
    const journaled = await this.#journaled([key])
    const write = journaled?.get(key)
    if (write !== undefined) return write.kind === 'put' ? (write.value as V) : doNotCache(undefined)
    const value = await origin.read(key, { signal })
    // What could not be compared with what is pending may be old.
    return journaled === undefined ? doNotCache(value) : value
  }

  /** The same of several keys. One that is nowhere is left out. */
  async loadMany(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, V | undefined | DoNotCache<V | undefined>>> {
    const { origin } = this.#settings
    const journaled = await this.#journaled(keys)
    const values = new Map<string, V | undefined | DoNotCache<V | undefined>>()
    const missing = keys.filter((key) => {
      const write = journaled?.get(key)
      if (write?.kind === 'put') values.set(key, write.value as V)
      return write === undefined
    })
    const keep = (key: string, value: V | undefined): void => {
      values.set(key, journaled === undefined ? doNotCache(value) : value)
    }
    if (missing.length === 0) return values
    if (origin.readMany !== undefined) {
      for (const [key, value] of await origin.readMany(missing, { signal })) keep(key, value)
    } else {
      await Promise.all(
        missing.map(async (key) => {
          const value = await origin.read(key, { signal })
          if (value !== undefined) keep(key, value)
        }),
      )
    }
    return values
  }

  /** What the journal has of the keys; `undefined` if it cannot be asked, which no reader has to suffer for. */
  async #journaled(keys: readonly string[]): Promise<ReadonlyMap<string, JournaledWrite> | undefined> {
    try {
      return await this.#settings.journal.read(keys)
    } catch (error) {
      this.#listeners.emit('error', { error, during: 'journal read' })
      return undefined
    }
  }
}

/** The value of an operation; a delete has none. */
export const valueOf = <V>(write: JournaledWrite): V | undefined =>
  write.kind === 'put' ? (write.value as V) : undefined
