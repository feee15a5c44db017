/** What {@link keyvStore} asks of a storage adapter of Keyv 5 or 6. A `Map` is one. */
export interface KeyvAdapter {
  namespace?: string | undefined
  readonly capabilities?: unknown
  get(key: string): unknown
  set(key: string, value: string, life?: number): unknown
  delete(key: string): unknown
  clear(): unknown
  getMany?(keys: string[]): Promise<readonly unknown[]>
  setMany?(entries: { key: string; value: string; ttl?: number; expires?: number }[]): unknown
  deleteMany?(keys: string[]): unknown
  /** All entries, as pairs. */
  iterator?(namespace?: string): AsyncIterable<readonly unknown[]>
  disconnect?(): unknown
  on?(event: 'error', listener: (error: unknown) => void): unknown
}

/** An adapter whose failures are rejections, and in which keys have the namespace in front. */
export interface Connection {
  get(key: string): Promise<unknown>
  /** `ms`: how long the adapter is to keep it at least; `undefined` for ever. */
  set(key: string, text: string, ms: number | undefined): Promise<void>
  delete(key: string): Promise<void>
  clear(): Promise<void>
  readonly getMany: ((keys: readonly string[]) => Promise<readonly unknown[]>) | undefined
  readonly setMany: ((pairs: readonly Sent[]) => Promise<void>) | undefined
  readonly deleteMany: ((keys: readonly string[]) => Promise<void>) | undefined
  /** All keys of the namespace, with the text that came along. */
  readonly list: (() => AsyncIterable<readonly [key: string, text: unknown]>) | undefined
  close(): Promise<void>
}

/** An entry on its way to an adapter. */
export type Sent = readonly [key: string, text: string, ms: number | undefined]

/** Makes the adapter's namespace this one, and has it say when it fails. */
export function connect(adapter: KeyvAdapter, namespace: string, now: () => number): Connection {
  const isMap = adapter instanceof Map
  // Keyv puts it in front of keys, which some adapters rely on; others put a second one in front of that.
  const prefix = `${namespace}:`
  if (!isMap) adapter.namespace = namespace
  /** Keyv 6 hands its adapters the instant at which an entry ends, Keyv 5 how long it lives. */
  const instants = (adapter.capabilities as { expires?: unknown } | undefined)?.expires === true
  let failures = 0
  let failure: unknown
  // Many adapters answer a failed call as if nothing were there, and tell of it aside.
  adapter.on?.('error', (error) => {
    failures++
    failure = error
  })

  async function ask<T>(call: () => T): Promise<Awaited<T>> {
    const before = failures
    const answer = await call()
    if (failures !== before) throw failure
    return answer
  }

  async function done(call: () => unknown): Promise<void> {
    await ask(call)
  }

  async function write(call: () => unknown): Promise<void> {
    const answer = await ask(call)
    if (answer === false || (Array.isArray(answer) && answer.includes(false))) {
      throw new Error('the adapter did not keep the entry')
    }
  }

  const lifeOf = (ms: number | undefined): number | undefined =>
    ms === undefined || !instants ? ms : Math.ceil(now() + ms)

  async function* list(): AsyncGenerator<readonly [string, unknown]> {
    const pairs = isMap ? [...(adapter as unknown as Map<string, unknown>)] : adapter.iterator!(namespace)
    const before = failures
    for await (const [key, text] of pairs) {
      if (typeof key === 'string' && key.startsWith(prefix)) yield [key.slice(prefix.length), text]
    }
    if (failures !== before) throw failure
  }

  async function clearMap(): Promise<void> {
    for await (const [key] of list()) adapter.delete(prefix + key)
  }

  const prefixed = (keys: readonly string[]): string[] => keys.map((key) => prefix + key)
  const { getMany, setMany, deleteMany } = adapter
  return {
    get: (key) => ask(() => adapter.get(prefix + key)),
    set: (key, text, ms) => write(() => adapter.set(prefix + key, text, lifeOf(ms))),
    delete: (key) => done(() => adapter.delete(prefix + key)),
    clear: isMap ? clearMap : () => done(() => adapter.clear()),
    getMany: getMany && ((keys) => ask(() => getMany.call(adapter, prefixed(keys)))),
    setMany:
      setMany &&
      ((pairs) =>
        write(() =>
          setMany.call(
            adapter,
            pairs.map(([key, value, ms]) => {
              const life = lifeOf(ms)
              const sent = { key: prefix + key, value }
              return life === undefined
                ? sent
                : instants
                  ? { ...sent, expires: life }
                  : { ...sent, ttl: life }
            }),
          ),
        )),
    deleteMany: deleteMany && ((keys) => done(() => deleteMany.call(adapter, prefixed(keys)))),
    list: isMap || adapter.iterator !== undefined ? list : undefined,
    async close() {
      await adapter.disconnect?.()
    },
  }
}
