import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'

const examples = fileURLToPath(new URL('..', import.meta.url))

/**
 * Makes one file of a program and the sources of our packages, until the test is over; answers with its path. It stands where it
 * finds everybody else's packages.
 */
export async function programOf(main: string): Promise<string> {
  const out = join(examples, 'node_modules/.cache')
  mkdirSync(out, { recursive: true })
  const folder = mkdtempSync(join(out, 'program-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const outfile = join(folder, 'main.mjs')
  await build({
    entryPoints: [join(examples, main)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@flow-cache/source'],
    external: ['ioredis', 'libsql', 'pg'],
    logLevel: 'silent',
  })
  return outfile
}

/** A program that serves HTTP. */
export interface Service {
  readonly url: string
  /** Sends the signal, and resolves to how it ended: its exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

/** Runs the program, until the test is over at the latest, and resolves when it has told where it listens. */
export async function startService(program: string, env: Readonly<Record<string, string>>): Promise<Service> {
  const child: ChildProcess = spawn(process.execPath, [program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  onTestFinished(() => void child.kill('SIGKILL'))
  for await (const url of createInterface({ input: child.stdout! })) {
    return {
      url,
      async end(signal) {
        child.kill(signal)
        const [code, by] = await ended
        return by ?? code
      },
    }
  }
  throw new Error(`${program} ended with ${String((await ended)[0])} before it listened`)
}
