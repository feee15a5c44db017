import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { redisBinary } from '../src/redis-binary.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const compiler = fileURLToPath(import.meta.resolve('typescript/package.json'))

const program = `
import { startRedis } from './redis-server.js'
const start = () => startRedis({ binary: process.env.BINARY })
const [killed, restarted, running] = await Promise.all([start(), start(), start()])
await killed.kill()
await restarted.kill()
await restarted.restart()
running.pause()
console.log(JSON.stringify([restarted.pid, running.pid]))
setInterval(() => {}, 1_000)
`

/** A process that has started servers, and the ids of those that run. Its temporary folder is `folder`. */
export async function startParent(): Promise<{ parent: ChildProcess; pids: number[]; folder: string }> {
  const code = await mkdtemp(join(tmpdir(), 'flow-cache-test-'))
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-test-'))
  onTestFinished(async () => {
    for (const path of [code, folder]) await rm(path, { recursive: true, force: true })
  })
  const settings = ['--outDir', code, '--target', 'es2023', '--module', 'nodenext', '--types', 'node']
  const tsc = [join(dirname(compiler), 'bin/tsc'), '--ignoreConfig', '--skipLibCheck', ...settings]
  await promisify(execFile)(process.execPath, [...tsc, join(packageFolder, 'src/redis-server.ts')], {
    cwd: packageFolder,
  })
  await writeFile(join(code, 'package.json'), '{ "type": "module" }')
  await writeFile(join(code, 'main.js'), program)
  const { path, env } = await redisBinary()
  const parent = spawn(process.execPath, [join(code, 'main.js')], {
    env: { ...process.env, ...env, BINARY: path, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  return { parent, pids: JSON.parse(line.toString()) as number[], folder }
}
