import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Duration } from '@flow-cache/core'
import { onTestFinished } from 'vitest'

const packages = new URL('../../', import.meta.url)

/** Compiles the packages that a process of its own imports. */
export function build(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', packages))
  for (const name of ['memory', 'redis', 'multilevel']) {
    execFileSync(process.execPath, [
      tsc,
      '-b',
      fileURLToPath(new URL(`${name}/tsconfig.build.json`, packages)),
    ])
  }
}

/** A Node process with a cache. */
export interface CacheProcess {
  readonly pid: number
  /** Runs the body of an async function there, with `cache`, `sleep(ms)` and `tell(word)` at hand; its answer. */
  run(body: string): Promise<unknown>
  /** Every word it told. */
  readonly told: readonly string[]
  kill(signal: NodeJS.Signals): void
  /** How it ended: a code, or the name of the signal. */
  readonly ended: Promise<number | string>
}

const dist = (name: string): string => new URL(`${name}/dist/index.js`, packages).href

export interface ProcessOptions {
  /** By how many milliseconds it is ahead of everybody else's time. */
  readonly offset?: number
  /** How long a call to Redis may take. */
  readonly timeout?: Duration
  /** Further options of its cache, as source text. */
  readonly options?: string
}

/** Starts one on the server. */
export async function startProcess(
  url: string,
  prefix: string,
  { offset = 0, timeout = '10s', options = '{}' }: ProcessOptions = {},
): Promise<CacheProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-process-'))
  const file = join(folder, 'main.mjs')
  writeFileSync(
    file,
    `
    import { systemClock } from '${dist('core')}'
    import { memoryStore } from '${dist('memory')}'
    import { MultiLevelCache } from '${dist('multilevel')}'
    import { redisStore } from '${dist('redis')}'
    import { setTimeout as sleep } from 'node:timers/promises'
    const clock = ${offset === 0 ? 'systemClock' : `{ ...systemClock, coarse: undefined, now: () => systemClock.now() + ${offset} }`}
    const redis = redisStore({ url: ${JSON.stringify(url)}, prefix: ${JSON.stringify(prefix)}, clock })
    const cache = new MultiLevelCache({ tiers: [memoryStore({ clock }), redis], ttl: '1h', clock, timeouts: { store: ${JSON.stringify(timeout)} }, leaseTerm: '20s', ...${options} })
    const tell = (told) => process.send({ told })
    const AsyncFunction = (async () => {}).constructor
    process.on('message', async ({ id, body }) => {
      try {
        const answer = await new AsyncFunction('cache', 'sleep', 'tell', body)(cache, sleep, tell)
        process.send({ id, answer })
      } catch (error) {
        process.send({ id, error: String(error) })
      }
    })
    process.send({ ready: true })`,
  )
  const child = fork(file, {
    execArgv: ['--unhandled-rejections=strict'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const told: string[] = []
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`the process ended: ${code ?? signal}`))
      resolve(code ?? (signal as string))
    })
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    child.kill('SIGCONT')
    await ended
    await rm(folder, { recursive: true, force: true })
  })
  child.on('message', (message: { id?: number; answer?: unknown; error?: string; told?: string }) => {
    if (message.told !== undefined) told.push(message.told)
    const caller = waiting.get(message.id ?? -1)
    waiting.delete(message.id ?? -1)
    if (message.error !== undefined) caller?.reject(new Error(message.error))
    else caller?.resolve(message.answer)
  })
  await once(child, 'message')
  let last = 0
  return {
    pid: child.pid as number,
    told,
    ended,
    run: (body) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        child.send({ id, body })
      }),
    kill: (signal) => void child.kill(signal),
  }
}
