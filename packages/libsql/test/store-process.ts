import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEntry, type Entry, graceOf, type Store } from '@flow-cache/core'

const packages = new URL('../../', import.meta.url)
const dist = (name: string): string => new URL(`${name}/dist/index.js`, packages).href

/** Compiles what a process of its own imports. */
export function build(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', packages))
  execFileSync(process.execPath, [tsc, '-b', fileURLToPath(new URL('libsql/tsconfig.build.json', packages))])
}

/** A Node process with stores. */
export interface StoreProcess {
  /**
   * Runs the body of an async function there, with `open(options)`, `createEntry`, `createCache` and `args` at hand; its
   * answer. What is opened twice with the same path is the same store.
   */
  run(body: string, args?: unknown): Promise<unknown>
  /** A store in that process, as another one here would have it. It takes its time from this clock. */
  store(path: string, clock: { now(): number }): Store
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>
}

const program = (): string => `
  import { createCache, createEntry, systemClock } from '${dist('core')}'
  import { libsqlStore } from '${dist('libsql')}'
  let now
  const clock = { ...systemClock, coarse: undefined, now: () => now ?? systemClock.now() }
  const stores = new Map()
  const open = (options) => {
    if (!stores.has(options.path)) stores.set(options.path, libsqlStore({ clock, ...options }))
    return stores.get(options.path)
  }
  const AsyncFunction = (async () => {}).constructor
  process.on('message', async ({ id, at, body, args }) => {
    now = at
    try {
      const answer = await new AsyncFunction('open', 'createEntry', 'createCache', 'args', body)(open, createEntry, createCache, args)
      process.send({ id, answer })
    } catch (error) {
      process.send({ id, error: { message: error.message, code: error.code } })
    }
  })
  process.send({ id: 0 })
`

/** Starts one. `uid`: as which user. */
export async function startProcess({
  uid,
  execPath,
}: { uid?: number; execPath?: string } = {}): Promise<StoreProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'libsql-process-'))
  const file = join(folder, 'main.mjs')
  writeFileSync(file, program())
  execFileSync('chmod', ['-R', 'a+rX', folder])
  const child = fork(file, {
    serialization: 'advanced',
    execArgv: ['--unhandled-rejections=strict'],
    ...(uid !== undefined && { uid }),
    ...(execPath !== undefined && { execPath }),
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const ended = once(child, 'exit').then(([code, signal]) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process ended: ${code ?? signal}`))
    rmSync(folder, { recursive: true, force: true })
  })
  type Answer = { id: number; answer?: unknown; error?: { message: string; code?: string } }
  child.on('message', ({ id, answer, error }: Answer) => {
    const caller = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) caller?.resolve(answer)
    else caller?.reject(Object.assign(new Error(error.message), { code: error.code }))
  })
  let last = 0
  const ask = (body: string, args?: unknown, at?: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject })
      child.send({ id: last, at, body, args })
    })
  await once(child, 'message')
  return {
    run: (body, args) => ask(body, args),
    store: (path, clock) => storeIn((body, args) => ask(body, { path, args }, clock.now())),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** What an entry is made of, for the way between processes. */
const sent = (entry: Entry) => ({
  value: entry.value,
  createdAt: entry.createdAt,
  ttl: entry.staleAt - entry.createdAt,
  grace: graceOf(entry),
  loadMs: entry.loadMs,
  tags: entry.tags,
  version: entry.version,
})

const parts = `const sent = (entry) => entry && {
  value: entry.value, createdAt: entry.createdAt, ttl: entry.staleAt - entry.createdAt, loadMs: entry.loadMs,
  grace: entry.staleAt === Infinity ? 0 : entry.expiresAt - entry.staleAt, tags: entry.tags, version: entry.version
};
const store = open({ path: args.path }); const [a, b, c, d] = args.args;`

/** A store whose every call is made in another process. */
function storeIn(run: (body: string, args: readonly unknown[]) => Promise<unknown>): Store {
  const call = <T>(body: string, ...args: readonly unknown[]): Promise<T> =>
    run(`${parts} return ${body}`, args) as Promise<T>
  const made = (fields: unknown) =>
    fields === undefined ? undefined : createEntry(fields as Parameters<typeof createEntry>[0])
  const answered = async <T extends { entry?: unknown }>(answer: Promise<T>) => {
    const one = await answer
    return { ...one, entry: made(one.entry) }
  }
  return {
    get: async (key) => made(await call('sent(await store.get(a))', key)),
    set: (key, entry) => call('store.set(a, createEntry(b))', key, sent(entry)),
    delete: (key) => call('store.delete(a)', key),
    clear: (prefix) => call('store.clear(a)', prefix),
    close: () => call('store.close()'),
    batch: {
      getMany: async (keys) =>
        (await call<unknown[]>('(await store.batch.getMany(a)).map(sent)', keys)).map(made),
      setMany: (entries) =>
        call(
          'store.batch.setMany(a.map(([key, entry]) => [key, createEntry(entry)]))',
          entries.map(([key, entry]) => [key, sent(entry)]),
        ),
      deleteMany: (keys) => call('store.batch.deleteMany(a)', keys),
    },
    tags: {
      position: () => call('store.tags.position()'),
      versions: (names, since) => call('store.tags.versions(a, b)', names, since),
      invalidate: (names) => call('store.tags.invalidate(a)', names),
    },
    leases: {
      acquire: (key, token, termMs, always) =>
        answered(
          call<{ entry?: unknown }>(
            '(({ entry, ...rest }) => ({ ...rest, entry: sent(entry) }))(await store.leases.acquire(a, b, c, d))',
            key,
            token,
            termMs,
            always,
          ),
        ) as never,
      commit: (key, token, entry) =>
        call('store.leases.commit(a, b, createEntry(c))', key, token, sent(entry)),
      renew: (key, token, termMs) => call('store.leases.renew(a, b, c)', key, token, termMs),
      release: (key, token) => call('store.leases.release(a, b)', key, token),
      expire: (key) => call('store.leases.expire(a)', key),
    },
    log: { follow: () => () => undefined },
  }
}
