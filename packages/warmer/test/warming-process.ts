import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const packages = new URL('../../', import.meta.url)

/** Compiles what a process of its own imports. */
export function build(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', packages))
  for (const name of ['redis', 'warmer']) {
    execFileSync(process.execPath, [
      tsc,
      '-b',
      fileURLToPath(new URL(`${name}/tsconfig.build.json`, packages)),
    ])
  }
}

/** What a compiled package is imported by. */
export const dist = (name: string): string => new URL(`${name}/dist/index.js`, packages).href

/** What a process tells: the keys it asked the origin for, and the report at the end. */
export type Told =
  { readonly asked: readonly string[] } | { readonly report: Readonly<Record<string, number>> }

/** Starts a process that warms `count` keys into Redis, from an origin that takes `ms` for a batch of 20. */
export async function startWarming(
  url: string,
  prefix: string,
  { count, ms }: { readonly count: number; readonly ms: number },
): Promise<{
  readonly child: ChildProcess
  readonly asked: string[]
  readonly report: Promise<Readonly<Record<string, number>>>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-warming-'))
  const file = join(folder, 'main.mjs')
  writeFileSync(
    file,
    `
    import { RedisCache } from '${dist('redis')}'
    import { CacheWarmer } from '${dist('warmer')}'
    import { setTimeout as sleep } from 'node:timers/promises'
    const cache = new RedisCache({ url: '${url}', prefix: '${prefix}', ttl: '1h', timeouts: { store: '10s' }, leaseTerm: '20s' })
    const loadMany = async (keys) => {
      process.send({ asked: keys })
      await sleep(${ms})
      return keys.map((key) => 'value of ' + key)
    }
    const warmer = new CacheWarmer({ cache, loadMany, batch: 20, concurrency: 2 })
    const { errors, ...report } = await warmer.warm(Array.from({ length: ${count} }, (_, i) => 'k' + i))
    process.send({ report })
    await cache.close()
    process.disconnect()`,
  )
  const child = fork(file, { execArgv: ['--unhandled-rejections=strict'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  })
  const asked: string[] = []
  const report = new Promise<Readonly<Record<string, number>>>((resolve, reject) => {
    child.on('message', (told: Told) => {
      if ('asked' in told) asked.push(...told.asked)
      else resolve(told.report)
    })
    child.once('exit', (code, signal) => reject(new Error(`the process ended: ${code ?? signal}`)))
  })
  report.catch(() => {})
  return { child, asked, report }
}
