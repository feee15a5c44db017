import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { redisBinary, startRedis } from '@flow-cache/servers'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { handbook } from './handbook.js'
import { temporaryTree } from './temporary-tree.js'

const app = fileURLToPath(new URL('..', import.meta.url))
const main = join(app, 'dist/main.js')

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function start(
  args: readonly string[],
  cwd: string = handbook,
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; ended: Promise<Outcome> } {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, FORCE_COLOR: '', COLUMNS: '', ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const ended = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, out, err })))
  return { child, ended }
}

function demo(...args: string[]): Promise<Outcome> {
  return start(args).ended
}

beforeAll(() => {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
  execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '-b', join(app, 'tsconfig.build.json')], {
    stdio: 'inherit',
  })
}, 60_000)

// Each starts a process, which takes its time on a busy machine.
describe('two processes at one Redis', { timeout: 60_000 }, () => {
  it('make everything once, and the next two nothing', async () => {
    await using server = await startRedis()
    const question = 'How long is the pause between retries?'
    const empty = await demo('--dir', '.', '--redis', server.url, '--only-if-cached', question)
    expect([empty.code, empty.out]).toEqual([3, ''])
    expect(empty.err).toContain('Ask once without --only-if-cached')
    const first = await demo('--dir', '.', '--redis', server.url, question)
    expect(first.code).toBe(0)
    expect(first.out).toContain('The pause doubles with every attempt')
    for (const step of ['chunk', 'index', 'brief'])
      expect(first.out).toMatch(new RegExp(`${step}: (made|each)`))
    expect(first.out).not.toContain('made in both')
    const second = await demo('--dir', '.', '--redis', server.url, question)
    expect(second.out).toContain(
      'chunk: was in Redis already; index: was in Redis already; brief: was in Redis',
    )
    const offline = await demo('--dir', '.', '--redis', server.url, '--only-if-cached', question)
    expect(offline.out).toContain('The pause doubles with every attempt')
    const tenant = await demo('--dir', '.', '--redis', server.url, '--tenant', 'acme', question)
    expect(tenant.out).toMatch(/index: was in Redis already; brief: made/)
    const version = await demo('--dir', '.', '--redis', server.url, '--brief-version', '9', question)
    expect(version.out).toMatch(/index: was in Redis already; brief: made/)
  })

  it.each([
    ['redis://127.0.0.1:1', 'No Redis answers at redis://127.0.0.1:1.'],
    ['127.0.0.1:6379', '--redis needs a URL'],
  ])('%s is refused with a sentence', async (url, sentence) => {
    const { code, err } = await demo('--dir', '.', '--redis', url, 'What is a retry?')
    expect([code, err]).toEqual([2, expect.stringContaining(sentence)])
  })
})

describe('the command line', { timeout: 30_000 }, () => {
  it('answers a question with sources, then shows what asking again costs', async () => {
    const { code, out, err } = await demo('--dir', '.', 'How long is the pause between retries?')
    expect(code).toBe(0)
    expect(out).toContain('The pause doubles with every attempt')
    expect(out).toMatch(/\[1\] handbook, README\.md: ferry › Retries/)
    expect(out).toMatch(/index +ran/)
    expect(out).toMatch(/chunk, index, brief from the cache/)
    expect(out).toMatch(/no language model/)
    expect(err.trim().split('\n')).toEqual([
      'splitting documents ...',
      'indexing ...',
      'writing the brief ...',
    ])
  })

  it('without a question it asks three of its own', async () => {
    const { code, out } = await demo('--dir', '.')
    expect(code).toBe(0)
    expect(out.match(/^ {2}total/gm)).toHaveLength(3)
    expect(out).toContain('the 3 questions, step by step')
  })

  it('answers its own questions from what this repository has installed', { timeout: 180_000 }, async () => {
    const { code, out } = await start([], join(app, '../..')).ended
    expect(code).toBe(0)
    expect(out).toContain('What does Turborepo put into the hash of a task?')
    expect(out).toMatch(/\[1\] turbo [\d.]+, docs\//)
    expect(out).not.toContain('Little is written')
  })

  it('--only-if-cached without --redis can find nothing: it says so and ends with code 3', async () => {
    const { code, out, err } = await demo('--dir', '.', '--only-if-cached', 'retries')
    expect([code, out]).toEqual([3, ''])
    expect(err).toContain('only with --redis')
  })

  it('--explain says what the cache knows of each step', async () => {
    const { out } = await demo('--dir', '.', '--explain', 'retries')
    expect(out).toMatch(/brief +miss +.* brief:\S{43}$/m)
    expect(out).toMatch(/^ {2}question .*(pays|does not pay)$/m)
  })

  it('writes no colour into a pipe, and with --plain nothing but ASCII of its own', async () => {
    const { out } = await demo('--dir', '.', '--plain', 'retries')
    // eslint-disable-next-line no-control-regex -- that is what is looked for
    expect(out).toMatch(/^[\t\n\x20-\x7e]*$/)
  })

  it('--sentences limits the answer', async () => {
    const { out } = await demo('--dir', '.', '--sentences', '1', 'job folder')
    expect(out.match(/^ {2}• /gm)).toHaveLength(1)
  })

  it('--max-documents says what it left out', async () => {
    const { out } = await demo('--dir', '.', '--max-documents', '2', 'retries')
    expect(out).toMatch(
      /2 Markdown documents .*\nNot all of them: 3 of 6 files were left out; see --max-documents\./,
    )
  })

  it('finds the nearest node_modules by itself', async () => {
    const root = temporaryTree({
      'node_modules/lantern/package.json': '{"name":"lantern","version":"3.2.1"}',
      'node_modules/lantern/README.md': '# lantern\n\nLantern is a client that follows every redirect once.',
      'src/x.ts': '',
    })
    const { code, out } = await start(['what is lantern?'], join(root, 'src')).ended
    expect(code).toBe(0)
    expect(out).toContain('[1] lantern 3.2.1, README.md: lantern')
  })

  it('--help and --version answer and do nothing else', async () => {
    expect(await demo('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: demo'),
      err: '',
    })
    expect(await demo('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: '',
    })
  })

  it.each([
    [['--sentence', '3'], 'Unknown option --sentence. Did you mean --sentences? See --help.'],
    [['--dir', 'gone'], `There is no folder ${join(handbook, 'gone')}.`],
    [['--dir', 'README.md'], `${join(handbook, 'README.md')} is a file; --dir needs a folder.`],
    [[''], 'The question is empty. Leave it out to ask the sample questions.'],
    [['--dir', '.', 'plutonium'], 'No document here says anything about "plutonium".'],
  ])('%j ends with code 2 and one sentence on standard error', async (args, message) => {
    const { code, out, err } = await demo(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
    expect(err).not.toContain('    at ')
  })

  it('a folder without Markdown ends with code 2', async () => {
    const dir = temporaryTree({ 'a.txt': '' })
    expect(await demo('--dir', dir)).toMatchObject({
      code: 2,
      err: expect.stringContaining('no Markdown files'),
    })
  })

  it.skipIf(process.platform === 'win32')('Ctrl-C ends it with 130 and without a stack trace', async () => {
    const { child, ended } = start(['--dir', '.'])
    child.stderr?.once('data', () => child.kill('SIGINT'))
    const { code, err } = await ended
    expect(code).toBe(130)
    expect(err).not.toContain('Error')
  })

  it('a reader that stops reading is no error', async () => {
    const { child, ended } = start(['--dir', '.'])
    child.stdout?.destroy()
    const { code, err } = await ended
    expect(code).toBe(0)
    expect(err).not.toContain('EPIPE')
  })
})

/** The first of what a process prints that matches. */
function printed({ stdout }: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = ''
    stdout!.on('data', (data: Buffer) => {
      const [found] = pattern.exec((out += data.toString())) ?? []
      if (found !== undefined) resolve(found)
    })
    stdout!.on('end', () => reject(new Error(`${pattern} is not in ${out}`)))
  })
}

/** An environment whose `redis-server` says its process id, and that id. */
async function watchedRedis(): Promise<{ env: Record<string, string>; pid: () => number }> {
  const { path, env } = await redisBinary()
  const folder = temporaryTree({ 'redis-server': `#!/bin/sh\necho $$ > "$0.pid"\nexec "${path}" "$@"\n` })
  chmodSync(join(folder, 'redis-server'), 0o755)
  const pid = (): number => Number(readFileSync(join(folder, 'redis-server.pid'), 'utf8'))
  onTestFinished(() => {
    if (isAlive(pid())) process.kill(pid())
  })
  return { env: { ...env, PATH: `${folder}${delimiter}${process.env['PATH']}` }, pid }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('--serve', { timeout: 60_000 }, () => {
  const args = ['--serve', '--no-open', '--dir', '.', '--port']

  it('warms first, a line for each question where there is no terminal, and answers on this machine alone', async () => {
    const { child, ended } = start([...args, '0', '--warm'])
    const url = await printed(child, /http:\/\/127\.0\.0\.1:\d+\//)
    expect(await (await fetch(url)).text()).toContain('<title>docs-desk</title>')
    expect(await (await fetch(`${url}cache/`)).text()).toContain('<title>The cache at work</title>')
    const elsewhere = url.replace('127.0.0.1', '127.0.0.2')
    await expect(fetch(elsewhere, { signal: AbortSignal.timeout(5_000) })).rejects.toThrow(
      /fetch failed|timeout/,
    )
    child.kill('SIGINT')
    const { code, out, err } = await ended
    const lines = err.trim().split('\n')
    for (const line of lines) expect(line).toMatch(/^warming: \d of 4 \.\.\.$/)
    expect(lines.at(-1)).toBe('warming: 4 of 4 ...')
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d+ questions answered ahead in /)])
  })

  it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends it and the Redis it started',
    async (signal) => {
      const { env, pid } = await watchedRedis()
      const { child, ended } = start([...args, '0', '--redis', 'start'], handbook, env)
      await printed(child, /docs-desk answers at/)
      expect(isAlive(pid())).toBe(true)
      child.kill(signal)
      expect((await ended).code).toBe(0)
      expect(isAlive(pid())).toBe(false)
    },
  )

  it.skipIf(process.platform === 'win32')(
    'a port that is taken ends it and the Redis it started',
    async () => {
      const { env, pid } = await watchedRedis()
      const taken = createServer().listen(0, '127.0.0.1')
      await once(taken, 'listening')
      const port = String((taken.address() as AddressInfo).port)
      const { code, err } = await start([...args, port, '--redis', 'start'], handbook, env).ended
      taken.close()
      expect([code, err]).toEqual([2, expect.stringContaining(`Port ${port} is taken.`)])
      expect(isAlive(pid())).toBe(false)
    },
  )
})
