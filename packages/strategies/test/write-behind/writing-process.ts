import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const packages = new URL('../../../', import.meta.url)

/** Compiles the packages that a process of its own imports. */
export function build(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', packages))
  for (const name of ['memory', 'redis', 'strategies']) {
    const config = fileURLToPath(new URL(`${name}/tsconfig.build.json`, packages))
    execFileSync(process.execPath, [tsc, '-b', config])
  }
}

const dist = (path: string): string => new URL(path, packages).href

/** How a process writes. */
export interface WritingOptions {
  /** Where its files are; `accepted` and `applied` are appended to. */
  readonly directory: string
  /** An expression: the journal. `fileJournal`, `redisJournal` and `directory` are at hand. */
  readonly journal: string
  /** How many write at once. `0`: it only drains, and says what was left. Default: 16. */
  readonly writers?: number
  /** Further options of the cache, as an expression. */
  readonly options?: string
  /** An expression: how the origin's calls go before they take effect. Default: one in twenty fails. */
  readonly before?: string
  /** What happens on SIGTERM: closes with this deadline and tells the report. */
  readonly deadline?: number
}

/** A process that writes and deletes as fast as it may. */
export interface WritingProcess {
  kill(signal: NodeJS.Signals): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  /** The next line it tells. */
  told(): Promise<Record<string, unknown>>
}

/** Starts one; resolves once its journal is open. */
export async function startWriting(settings: WritingOptions): Promise<WritingProcess> {
  const { directory, journal, writers = 16, options = '{}', before, deadline = 60_000 } = settings
  const file = join(directory, `main-${writers}.mjs`)
  writeFileSync(
    file,
    `
    import { openSync, writeSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { InMemoryCache } from '${dist('memory/dist/index.js')}'
    ${journal.startsWith('redisJournal') ? `import { redisJournal } from '${dist('redis/dist/index.js')}'` : ''}
    import { WriteBehindCache } from '${dist('strategies/dist/index.js')}'
    import { fileJournal } from '${dist('strategies/dist/file-journal.js')}'
    const directory = ${JSON.stringify(directory)}
    const accepted = openSync(directory + '/accepted', 'a')
    const applied = openSync(directory + '/applied', 'a')
    // Whoever died before may have left half a line.
    for (const file of [accepted, applied]) writeSync(file, '\\n')
    const before = ${before ?? `() => { if (Math.random() < 0.05) throw new Error('one in twenty') }`}
    const line = (key, sequence, value) => key + ' ' + sequence + ' ' + value + ' .\\n'
    const origin = {
      read: () => undefined,
      async write(key, value, { sequence }) { await before(); writeSync(applied, line(key, sequence, value)) },
      async delete(key, { sequence }) { await before(); writeSync(applied, line(key, sequence, 'deleted')) },
      async writeMany(entries, { sequences }) {
        await before()
        writeSync(applied, entries.map(([key, value], i) => line(key, sequences[i], value)).join(''))
      },
    }
    const cache = new InMemoryCache({ maxEntries: 1000 })
    const behind = new WriteBehindCache({
      cache, origin, journal: ${journal}, flushInterval: 5, maxBatch: 20,
      retry: { minDelay: 1, maxDelay: 20, attempts: Infinity }, ...${options},
    })
    behind.on('accept', ({ key, sequence, kind }) => {
      writeSync(accepted, line(key, sequence, kind === 'put' ? key : 'deleted'))
    })
    console.log(JSON.stringify({ ready: true }))
    const finish = async () => {
      const report = await behind.close({ deadline: ${deadline} })
      console.log(JSON.stringify({ report }))
      process.exit(report.pending === 0 ? 0 : 3)
    }
    process.on('SIGTERM', () => void finish())
    if (${writers} === 0) {
      for (;;) {
        const { pending } = await behind.flush().catch(() => ({ pending: 1 }))
        if (pending === 0) break
        await sleep(10)
      }
      console.log(JSON.stringify({ stats: await behind.stats() }))
      await finish()
    }
    for (let writer = 0; writer < ${writers}; writer++) {
      void (async () => {
        for (;;) {
          const key = 'k' + Math.floor(Math.random() * 50)
          try {
            if (Math.random() < 0.2) await behind.delete(key)
            else await behind.set(key, key)
          } catch (error) {
            if (error.code === 'ERR_CLOSED') return
            await sleep(5)
          }
        }
      })()
    }`,
  )
  const child = spawn(process.execPath, ['--unhandled-rejections=strict', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? (signal as string)))
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const told = async (): Promise<Record<string, unknown>> => {
    const next = await lines.next()
    if (next.done === true) throw new Error(`the process ended: ${await ended}`)
    return JSON.parse(next.value) as Record<string, unknown>
  }
  await told()
  return { kill: (signal) => void child.kill(signal), ended, told }
}
