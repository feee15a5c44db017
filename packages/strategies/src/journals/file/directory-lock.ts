import { mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { CacheError, randomId } from '@flow-cache/core'

const attempts = 5

/** Makes the directory where it is not there, and this process its owner until the answer is called. What fails is `ERR_JOURNAL`. */
export function takeDirectory(directory: string): () => void {
  try {
    mkdirSync(directory, { recursive: true })
    return lockDirectory(directory)
  } catch (error) {
    if (error instanceof CacheError) throw error
    const message = `${directory} cannot have a journal: ${(error as Error).message}`
    throw new CacheError('ERR_JOURNAL', message, { cause: error })
  }
}

/**
 * Makes this process the owner of a directory until the answer is called; `ERR_JOURNAL_IN_USE` if a living one has it.
 *
 * Everyone who wants it first puts down a file of its own, whose name says who it is, and then looks for others: of
 * two, at least one sees the other, and withdraws. A file is only ever removed by its owner or once that is dead, and
 * no name comes twice, so a lock that was taken over cannot be taken away again by somebody who is late.
 */
function lockDirectory(directory: string): () => void {
  const me = ownerOf(process.pid)
  for (let attempt = 1; ; attempt++) {
    const file = join(directory, `lock.${me.name}.${randomId()}`)
    writeFileSync(file, '', { flag: 'wx' })
    const other = readdirSync(directory).find(
      (name) => name.startsWith('lock.') && join(directory, name) !== file && isHeld(directory, name),
    )
    if (other === undefined) return () => remove(file)
    remove(file)
    if (attempt === attempts) {
      throw new CacheError(
        'ERR_JOURNAL_IN_USE',
        `${directory} belongs to process ${other.split('.')[1]!}: ${join(directory, other)}`,
      )
    }
    // The other may be one that looks too, sees this one, and withdraws.
    wait(5 + attempt * 10 * (process.pid % 7))
  }
}

interface Owner {
  /** `pid.host.boot.start`, in letters that every file system takes. */
  readonly name: string
  readonly start: string
}

const word = (text: string): string => text.replace(/[^A-Za-z0-9-]/g, '_')

function ownerOf(pid: number): Owner {
  const start = startOf(pid)
  return { name: [pid, word(hostname()), bootId(), start].join('.'), start }
}

/** Whether the process that put the file down may live. What is left of a dead one is removed. */
function isHeld(directory: string, name: string): boolean {
  const [, pid, host, boot, start] = name.split('.')
  // Nobody here can tell whether a process of another host lives.
  const isDead =
    host === word(hostname()) && (boot !== bootId() || !lives(Number(pid)) || startOf(Number(pid)) !== start)
  if (isDead) remove(join(directory, name))
  return !isDead
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It lives and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Which start of the machine this is; `-` where the platform does not say. */
const bootId = (): string => word(read('/proc/sys/kernel/random/boot_id').trim()) || '-'

/** When the process began, so that another one with its number is not taken for it; `-` where the platform does not say. */
function startOf(pid: number): string {
  const text = read(`/proc/${pid}/stat`)
  // The name in brackets may hold anything. The start is the twenty-second field of all.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // A zombie is dead.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '-')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

const wait = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
