import { spawn } from 'node:child_process'

/** How a program is run. */
export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds after which it is killed. Default: three minutes. */
  readonly timeout?: number
}

/**
 * Runs a program to its end and resolves to what it printed. One that fails rejects with all that it said: that is
 * what a reader of a failed check needs.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeout ?? 180_000,
    killSignal: 'SIGKILL',
    // A Windows program such as npm is a script there.
    shell: process.platform === 'win32',
  })
  let out = ''
  let error = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (out += piece))
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (error += piece))
  const end = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  if (end === 0) return out
  throw new Error(`${command} ${args.join(' ')} ended with ${end}:\n${out}${error}`)
}
