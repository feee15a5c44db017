import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Proxy, type RedisServer, startProxy, startRedis } from '@flow-cache/servers'
import { Redis } from 'ioredis'
import { History, type Verdict, type Write } from './history.js'
import { watchLag } from './lag.js'
import { period, type Reply, type Request, scramble, silentKeys, silentTtl } from './messages.js'
import { instant, seeded } from './random.js'

export interface RunOptions {
  readonly ms: number
  readonly seed: number
  readonly processes: number
  /** How far behind another process may be when all is well, in milliseconds. */
  readonly delta: number
  readonly onProgress?: (text: string) => void
  /** Only faults whose name holds this. Default: all. */
  readonly only?: string | undefined
  /** Ends it early, and judges what there is. */
  readonly signal?: AbortSignal
}

export interface Report extends Verdict {
  readonly loads: number
  /** How often each fault was made. */
  readonly faults: Readonly<Record<string, number>>
  /** The part of the time in which nothing but Δ excused what was read, on the average of the processes. */
  readonly calm: number
}

/** After a fault is over, how long until everybody is sure to have caught up, in milliseconds. */
const recovery = 3_500

/** How long it is calm between faults, on the average, in milliseconds. */
const pause = 4_000

/** After a process gets to run again, how long until it has heard what waited for it, in milliseconds. */
const backlog = 100

/** What a lag is called in the report. */
const late = 'a process did not get to run'

/** No process: what happens concerns nobody's news. */
const nobody = -2

interface Member {
  readonly index: number
  readonly proxy: Proxy
  child: ChildProcess
  generation: number
}

/** Runs processes against a Redis while faults happen to both, and judges what they saw. */
export async function run({
  ms,
  seed,
  processes,
  delta,
  only = '',
  onProgress,
  signal,
}: RunOptions): Promise<Report> {
  const random = seeded(seed)
  /** For what happens beside the faults, so that these are the same for the same seed. */
  const other = seeded(seed + 1)
  const history = new History()
  const truth = new Map<string, string>()
  const open = new Map<string, Write>()
  const faults: Record<string, number> = {}
  let loads = 0
  let reads = 0
  let sequence = 0

  /** A fault is being made. */
  let outage = false
  const calmness = { looks: 0, calm: 0 }

  const redis = await startRedis()
  const admin = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  admin.on('error', () => {})
  const members: Member[] = []

  /** Changes the truth: from now on loaders see the new value, and the old one is on its way out. */
  function change(key: string, process: number, byClock = false): string {
    const value = `${key}:${++sequence}`
    truth.set(key, value)
    const write: Write = {
      key,
      value,
      process,
      begin: instant(),
      end: Infinity,
      acknowledged: false,
      byClock,
    }
    history.write(write)
    open.set(value, write)
    return value
  }

  /** The truth as it begins. There was nothing before that a cache could have. */
  function found(key: string): string {
    const value = change(key, -1)
    settle(value, instant(), true)
    return value
  }

  function settle(value: string, end: number, acknowledged: boolean): void {
    const write = open.get(value)
    if (write === undefined) return
    open.delete(value)
    write.end = end
    write.acknowledged = acknowledged
  }

  /** A process did not get to run, or this one, whose proxies all news pass through. */
  function lagged(process: number | undefined, begin: number, end: number): void {
    faults[late] = (faults[late] ?? 0) + 1
    history.outage({ process, begin, end: end + backlog })
  }

  function answer(child: ChildProcess, process: number, request: Request): void {
    const reply = (message: Reply): void => void (child.connected && child.send(message))
    if (request.kind === 'read') {
      reply({ kind: 'values', id: request.id, values: [truth.get(request.key) ?? found(request.key)] })
    } else if (request.kind === 'write') {
      reply({ kind: 'values', id: request.id, values: request.keys.map((key) => change(key, process)) })
    } else if (request.kind === 'wrote') {
      for (const value of request.values) settle(value, request.end, request.acknowledged)
    } else if (request.kind === 'reads') {
      for (const sighting of request.reads) {
        history.see(sighting)
        reads += sighting.count
      }
      loads += request.loads
    } else if (request.kind === 'lag') lagged(process, request.begin, request.end)
  }

  async function start(member: Member): Promise<void> {
    const child = fork(fileURLToPath(new URL('worker.js', import.meta.url)), {
      execArgv: ['--unhandled-rejections=strict'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    member.child = child
    const process = idOf(member)
    child.on('message', (request: Request) => answer(child, process, request))
    await once(child, 'message')
    const assignment = {
      url: member.proxy.url,
      prefix: 'chaos:',
      process,
      seed: Math.floor(random() * 2 ** 31),
      offset: Math.floor((random() - 0.5) * 600_000),
      concurrency: 12,
    }
    child.send({ kind: 'start', assignment } satisfies Reply)
  }

  for (const key of silentKeys) found(key)
  const stopWatching = watchLag((begin, end) => lagged(undefined, begin, end))
  /** What is to be ended, however this ends. */
  const timers: NodeJS.Timeout[] = []
  try {
    await play()
  } finally {
    stopWatching()
    for (const timer of timers) clearInterval(timer)
    // Also one that hangs.
    for (const { child } of members) child.kill('SIGKILL')
    await Promise.all(members.map(({ proxy }) => proxy.close()))
    admin.disconnect()
    await redis.stop()
  }
  const share = calmness.looks === 0 ? 0 : calmness.calm / calmness.looks
  return { ...history.judge(delta), loads, faults, calm: share }

  async function play(): Promise<void> {
    for (let index = 0; index < processes; index++) {
      const member = { index, proxy: await startProxy(redis.port), generation: 0 } as Member
      await start(member)
      members.push(member)
    }

    timers.push(
      setInterval(() => {
        const key = silentKeys[Math.floor(other() * silentKeys.length)]!
        // Nobody is told: it counts as acknowledged when no entry can be fresh any more.
        settle(change(key, -1, true), instant() + silentTtl + recovery, true)
      }, 700),
    )

    const begun = instant()
    timers.push(
      setInterval(() => {
        onProgress?.(
          `${((instant() - begun) / 1_000).toFixed(0)} s: ${reads} reads, ${sequence} writes, ${loads} loads`,
        )
      }, 5_000),
    )
    const names = Object.keys(kinds).filter((name) => name.includes(only))
    if (names.length === 0) throw new Error(`no fault has a name with '${only}' in it`)
    timers.push(
      setInterval(() => {
        const apart = (instant() / period) % 1 < 2 * scramble
        if (apart && !outage) stutter()
      }, 25),
    )
    while (instant() - begun < ms - recovery) {
      // Mostly calm: in an outage much is allowed.
      await sleep(random() * 2 * pause, undefined, { signal }).catch(() => {})
      if (signal?.aborted === true) break
      const name = names[Math.floor(random() * names.length)]!
      const member = members[Math.floor(random() * members.length)]!
      faults[name] = (faults[name] ?? 0) + 1
      const from = instant()
      outage = true
      const alone = await kinds[name]!({ redis, admin, member, random, start, crash })
      outage = false
      history.outage({ process: alone, begin: from - 50, end: instant() + recovery })
    }
    await sleep(recovery)
    await Promise.all(
      members.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error('a process ended by itself')
        const ended = endOf(child)
        child.send({ kind: 'stop' } satisfies Reply)
        const code = await ended
        if (code !== 0) throw new Error(`a process ended with ${code}`)
      }),
    )
    const ended = instant()
    for (const member of members) {
      for (let at = begun; at < ended; at += 10) {
        calmness.looks++
        if (history.isCalm(idOf(member), at)) calmness.calm++
      }
    }
  }

  /**
   * Lets one connection lag behind the others for less than Δ, while the processes are after a few keys: what is read and
   * the news of it then come in either order.
   */
  function stutter(): void {
    const { proxy } = members[Math.floor(other() * members.length)]!
    const connection = proxy.connections[Math.floor(other() * proxy.connections.length)]
    connection?.blackhole()
    setTimeout(() => connection?.heal(), 10 + other() * 80)
  }

  /** Ends a process in the middle of what it does. What it was writing may have happened or not. */
  async function crash(member: Member): Promise<void> {
    const process = idOf(member)
    const gone = endOf(member.child)
    member.child.kill('SIGKILL')
    await gone
    for (const [value, write] of open) if (write.process === process) settle(value, instant() + 300, false)
    member.generation++
    await start(member)
  }
}

interface Scene {
  readonly redis: RedisServer
  readonly admin: Redis
  readonly member: Member
  readonly random: () => number
  readonly start: (member: Member) => Promise<void>
  readonly crash: (member: Member) => Promise<void>
}

/** What can happen. Answers with the process it happened to, or nothing for all of them. */
const kinds: Readonly<Record<string, (scene: Scene) => Promise<number | undefined>>> = {
  async 'Redis hangs'({ redis, random }) {
    redis.pause()
    await sleep(100 + random() * 1_500)
    redis.resume()
    return undefined
  },
  async 'Redis dies and comes back empty'({ redis, random }) {
    await redis.kill()
    await sleep(random() * 800)
    await redis.restart({ empty: true })
    return undefined
  },
  async FLUSHALL({ admin }) {
    await admin.flushall().catch(() => {})
    return undefined
  },
  async 'FLUSHALL, and a line that is dead'({ admin, member, random }) {
    member.proxy.blackhole()
    await sleep(300 + random() * 1_500)
    await admin.flushall().catch(() => {})
    await sleep(random() * 300)
    member.proxy.heal()
    return undefined
  },
  async 'SCRIPT FLUSH'({ admin }) {
    await admin.script('FLUSH').catch(() => {})
    return nobody
  },
  async 'CLIENT KILL'({ admin, random }) {
    const list = String(await admin.client('LIST').catch(() => ''))
    const ids = [...list.matchAll(/^id=(\d+)/gm)].map(([, id]) => id!)
    const unlucky = ids[Math.floor(random() * ids.length)]
    if (unlucky !== undefined) await admin.client('KILL', 'ID', unlucky).catch(() => {})
    return undefined
  },
  async 'a line is cut'({ member }) {
    member.proxy.cut()
    return idOf(member)
  },
  async 'a line goes dead'({ member, random }) {
    member.proxy.blackhole()
    await sleep(200 + random() * 3_000)
    member.proxy.heal()
    return idOf(member)
  },
  async 'one connection goes dead'({ member, random }) {
    const { connections } = member.proxy
    connections[Math.floor(random() * connections.length)]?.blackhole()
    await sleep(2_500)
    member.proxy.heal()
    return idOf(member)
  },
  async 'a line is slow'({ member, random }) {
    member.proxy.delay(20 + random() * 150)
    await sleep(random() * 2_000)
    member.proxy.heal()
    return idOf(member)
  },
  async 'a process hangs'({ member, random }) {
    member.child.kill('SIGSTOP')
    await sleep(random() * 2_500)
    member.child.kill('SIGCONT')
    return idOf(member)
  },
  async 'a process dies'({ member, crash }) {
    await crash(member)
    return nobody
  },
}

/** Resolves to the exit code once it has ended and all it said was heard. */
async function endOf(child: ChildProcess): Promise<number | null> {
  const heard = once(child, 'disconnect')
  const [code] = (await once(child, 'exit')) as [number | null]
  await heard
  return code
}

const idOf = ({ index, generation }: Member): number => index + generation * 1_000
