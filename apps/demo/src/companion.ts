import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer, AskOptions } from './answer.js'
import { Desk, type DeskOptions } from './desk.js'
import { openCache } from './open-cache.js'
import { Problem } from './problem.js'

/** What a companion is asked. */
export interface Errand {
  readonly redis: string
  readonly question: string
  readonly options: Omit<DeskOptions, 'cache'>
  readonly how: Pick<AskOptions, 'tenant' | 'mode'>
}

type Reply = { readonly ready: true } | { readonly answer: Answer } | { readonly problem: string }

/** A second process at the same Redis, ready to ask what this one asks. */
export interface Companion {
  ask(errand: Errand): Promise<Answer>
  end(): void
}

/** Starts one, and resolves once it is ready. It ends with this process. */
export async function startCompanion(): Promise<Companion> {
  const child = fork(fileURLToPath(import.meta.url), ['companion'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const next = (): Promise<Reply> =>
    new Promise((resolve, reject) => {
      child.once('message', (reply) => resolve(reply as Reply))
      child.once('exit', (code) => reject(new Error(`the second process ended with ${code}`)))
    })
  await next()
  return {
    async ask(errand) {
      child.send(errand)
      const reply = await next()
      if ('answer' in reply) return reply.answer
      throw new Problem('problem' in reply ? reply.problem : 'The second process said nothing.')
    },
    end: () => child.disconnect(),
  }
}

async function run({ redis, question, options, how }: Errand): Promise<Reply> {
  try {
    await using cache = await openCache(redis)
    return { answer: await new Desk({ cache, ...options }).ask(question, how) }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

if (process.argv[2] === 'companion' && process.send !== undefined) {
  const reply = (message: Reply): void => void process.send?.(message)
  process.on('SIGINT', () => {}) // whoever started it says when it ends
  process.on('disconnect', () => process.exit())
  process.on('message', (errand) => void run(errand as Errand).then(reply))
  reply({ ready: true })
}
