import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const packages = new URL('../../../', import.meta.url)
const dist = (name: string): string => new URL(`${name}/dist/index.js`, packages).href

/** Compiles the packages that a process of its own imports. */
export function build(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', packages))
  for (const name of ['memory', 'redis', 'multilevel', 'node'])
    execFileSync(process.execPath, [
      tsc,
      '-b',
      fileURLToPath(new URL(`${name}/tsconfig.build.json`, packages)),
    ])
}

/** How the cache of such a process is made: an expression, with `url` at hand. */
export const kinds = {
  Redis: `new RedisCache({ url, ...options })`,
  'memory over Redis': `new MultiLevelCache({ tiers: [memoryStore(), redisStore({ url })], ...options })`,
} as const

/** What became of one call of each kind of step. */
export interface Round {
  readonly node: unknown
  readonly fn: unknown
  readonly map: unknown
  readonly stream: unknown
  /** How often each of them ran so far. */
  readonly runs: Readonly<Record<'node' | 'fn' | 'map' | 'stream', number>>
  /** How many failures the cache and the steps have told of so far. */
  readonly events: number
}

/** A process that calls cached steps of every kind, and dies of a rejection that nobody handles. */
export interface StepProcess {
  /** Calls each step with this input. */
  call(input: string): Promise<Round>
  /** Begins to read a stream, and answers with its first chunk. */
  begin(input: string): Promise<unknown>
  /** Reads it to its end. */
  finish(): Promise<Round>
  /** Ends it in order; the answer is its exit code, or the signal that killed it. */
  end(): Promise<number | string>
}

/** Starts one whose cache is on this server. */
export async function startSteps(
  url: string,
  kind: keyof typeof kinds,
  onStoreError: 'ignore' | 'throw',
): Promise<StepProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-steps-'))
  const file = join(folder, 'main.mjs')
  writeFileSync(file, program(url, kind, onStoreError))
  const child = fork(file, { execArgv: ['--unhandled-rejections=strict'], serialization: 'advanced' })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  const ask = asker(child, exited)
  return {
    call: async (input) => ask('call', input) as Promise<Round>,
    begin: async (input) => ask('begin', input),
    finish: async () => ask('finish') as Promise<Round>,
    async end() {
      child.send({ command: 'end' })
      const [code, signal] = await exited
      return code ?? signal ?? 0
    },
  }
}

/** Sends a command and waits for its answer; that the process has ended meanwhile is an error. */
function asker(
  child: ChildProcess,
  exited: Promise<readonly unknown[]>,
): (command: string, input?: string) => Promise<unknown> {
  return async (command, input) => {
    const answered = once(child, 'message') as Promise<[{ answer?: unknown; error?: string }]>
    child.send({ command, input })
    const ended = exited.then(([code, signal]): never => {
      throw new Error(`the process has ended with ${String(code ?? signal)}`)
    })
    const [{ answer, error }] = await Promise.race([answered, ended])
    if (error !== undefined) throw new Error(error)
    return answer
  }
}

const program = (url: string, kind: keyof typeof kinds, onStoreError: string): string => `
  import { memoryStore } from '${dist('memory')}'
  import { MultiLevelCache } from '${dist('multilevel')}'
  import { RedisCache, redisStore } from '${dist('redis')}'
  import { cacheFn, cacheMap, cacheNode, defineNode, runNode } from '${dist('node')}'

  const url = ${JSON.stringify(url)}
  const options = { onStoreError: '${onStoreError}', timeouts: { store: '2s' }, leaseTerm: '5s' }
  const cache = ${kinds[kind]}
  const runs = { node: 0, fn: 0, map: 0, stream: 0 }
  let events = 0
  cache.on('error', () => events++)
  const same = { cache, scope: 'global', onEvent: ({ type }) => { if (type === 'error') events++ } }

  const node = cacheNode(defineNode('node', (x) => { runs.node++; return x.toUpperCase() }), same)
  const fn = cacheFn((x) => { runs.fn++; return x.toUpperCase() }, { ...same, name: 'fn' })
  const upper = defineNode('map', (items) => { runs.map++; return items.map((item) => item.toUpperCase()) })
  const map = cacheMap(upper, { ...same, items: (x) => [x, x + x], assemble: (outputs) => outputs })
  let goOn = Promise.resolve()
  const stream = cacheNode(defineNode('stream', async (x) => {
    runs.stream++
    return (async function* () {
      yield x
      await goOn
      yield x.toUpperCase()
    })()
  }), same)

  const outputOf = (result) => {
    if (!result.success) throw result.error.cause ?? new Error(result.error.message)
    return result.output
  }
  const read = async (iterator) => {
    const chunks = []
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) chunks.push(next.value)
    return chunks
  }
  const begin = async (x) => outputOf(await runNode(stream, x))[Symbol.asyncIterator]()
  const round = async (results) => {
    // Whatever nobody handles shows by now.
    await new Promise((resolve) => setTimeout(resolve, 20))
    return { ...results, runs: { ...runs }, events }
  }
  let open
  let wake
  const commands = {
    async call(x) {
      const [a, b, c, d] = await Promise.all([
        runNode(node, x).then(outputOf),
        fn(x),
        runNode(map, x).then(outputOf),
        begin(x).then(read),
      ])
      await cache.drain()
      return round({ node: a, fn: b, map: c, stream: d })
    },
    async begin(x) {
      goOn = new Promise((resolve) => (wake = resolve))
      open = await begin(x)
      return (await open.next()).value
    },
    async finish() {
      wake()
      const chunks = await read(open)
      await cache.drain()
      return round({ stream: chunks })
    },
    async end() {
      await cache.close()
      process.disconnect()
    },
  }
  process.on('message', ({ command, input }) => {
    commands[command](input).then(
      (answer) => process.connected && process.send({ answer }),
      (error) => process.send({ error: error.stack ?? String(error) }),
    )
  })
`
