import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JournalOperation } from '@flow-cache/core'
import { fakeClock, journalCases } from '@flow-cache/core/testing'
import { fileJournal, type FileJournalOptions } from '@flow-cache/strategies/file-journal'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { folder } from './folder.js'

const put = (value: unknown): JournalOperation => ({ kind: 'put', value })

function open(directory: string, options: FileJournalOptions = {}) {
  const journal = fileJournal(directory, options)
  onTestFinished(() => journal.close())
  return journal
}

/** What a directory looks like to whoever comes after its owner has died at this moment. */
function afterDeath(directory: string): string {
  const copy = folder()
  cpSync(directory, copy, { recursive: true })
  for (const name of readdirSync(copy)) if (name.startsWith('lock.')) rmSync(join(copy, name))
  return copy
}

const logs = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .map((name) => join(directory, name))

for (const fsync of ['always', 1_000, 'never'] as const) {
  describe(`fileJournal with fsync: ${fsync} keeps the journal contract`, () => {
    for (const { name, run } of journalCases) {
      it(name, () => {
        const clock = fakeClock()
        const directory = folder()
        return run({
          journal: open(directory, { clock, fsync }),
          pass: (ms) => clock.advance(ms),
          other: async () => open(afterDeath(directory), { clock, fsync }),
        })
      })
    }
  })
}

describe('what a run before left', () => {
  it('is there after a close in order', async () => {
    const directory = folder()
    const first = fileJournal(directory)
    await first.put('a', put(new Map([[1, new Date(5)]])), 10)
    await first.close()
    const second = open(directory)
    expect(second.recovered).toEqual({ operations: 1 })
    expect(second.local!.read('a')).toMatchObject({ value: new Map([[1, new Date(5)]]) })
  })

  it('is compacted: what was done takes no room for ever', async () => {
    const directory = folder()
    const journal = open(directory, { fsync: 'never', segmentBytes: 20_000 })
    for (let n = 0; n < 2_000; n++) {
      const sequence = await journal.put(`k${n % 10}`, put('x'.repeat(100)), 100)
      if (n % 2 === 0) await journal.ack([{ key: `k${n % 10}`, sequence: sequence! }])
    }
    // A slow disk is behind with its checkpoint, and the next write after that begins another.
    let more = 0
    const size = async (): Promise<number> => {
      await journal.put('k1', put(++more), 100)
      return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
    }
    await expect.poll(size, { timeout: 20_000 }).toBeLessThan(100_000)
    await journal.close()
    const counts = await open(directory).counts()
    expect(counts).toMatchObject({
      accepted: 2_000 + more,
      applied: 1_000,
      coalesced: 995 + more,
      pending: 5,
    })
  })

  it('is whole when the process died at any moment of a checkpoint', async () => {
    const directory = folder()
    const journal = open(directory, { segmentBytes: 2_000 })
    for (let n = 0; n < 200; n++) {
      await journal.put(`k${n % 20}`, put(n), 100)
      if (n % 10 !== 0) continue
      const copy = fileJournal(afterDeath(directory))
      expect(await copy.counts()).toMatchObject({ accepted: n + 1, pending: Math.min(n + 1, 20) })
      expect(copy.local!.read(`k${n % 20}`)).toMatchObject({ value: n })
      await copy.close()
    }
  })

  it('goes on with larger sequences, also when the directory was lost', async () => {
    const clock = fakeClock()
    const first = fileJournal(folder(), { clock })
    const before = await first.put('a', put(1), 10)
    await first.close()
    await clock.advance(1)
    expect(await open(folder(), { clock }).put('a', put(1), 10)).toBeGreaterThan(before!)
  })
})

it('a value that cannot be decoded becomes a dead letter without one, and holds up nobody', async () => {
  const directory = folder()
  const encode = () => Buffer.from('no such thing')
  const broken = fileJournal(directory, { codec: { name: 'x', encode, decode: () => undefined } })
  await broken.put('a', put(1), 10)
  await broken.close()
  const journal = open(directory)
  await journal.put('b', put(2), 10)
  expect((await journal.claim(10, 1_000)).map(({ key }) => key)).toEqual(['b'])
  const [letter] = await journal.deadLetters(10)
  expect(letter).toMatchObject({ key: 'a', value: undefined })
  expect(letter!.error).toContain('cannot be decoded')
})

/** A directory with one log of ten operations, one write each, and where each of them ends. */
async function tenWrites() {
  const directory = folder()
  const journal = open(directory)
  const ends: number[] = []
  for (let n = 0; n < 10; n++) {
    await journal.put(`k${n}`, put(`value ${n}`), 100)
    ends.push(statSync(logs(directory)[0]!).size)
  }
  const [log] = logs(directory)
  return { directory, ends, bytes: readFileSync(log!), name: log!.slice(directory.length + 1) }
}

describe('a log that is damaged', () => {
  it('loses only the last write when its end is torn off, at every length, and says what was dropped', async () => {
    const { directory, ends, bytes, name } = await tenWrites()
    const copy = afterDeath(directory)
    for (let length = ends[7]!; length <= bytes.length; length++) {
      rmSync(copy, { recursive: true })
      cpSync(directory, copy, { recursive: true, filter: (path) => !path.includes('lock.') })
      truncateSync(join(copy, name), length)
      const journal = fileJournal(copy)
      const whole = ends.filter((end) => end <= length).length
      expect((await journal.counts()).pending).toBe(whole)
      const bytesLeft = length - ends[whole - 1]!
      expect(journal.recovered.dropped).toEqual(
        bytesLeft === 0 ? undefined : { file: join(copy, name), offset: ends[whole - 1]!, bytes: bytesLeft },
      )
      await journal.put('after', put(1), 100)
      await journal.close()
      const again = fileJournal(copy)
      expect((await again.counts()).pending).toBe(whole + 1)
      await again.close()
    }
  })

  it('loses only the last write when any bit of that is flipped', async () => {
    const { directory, ends, bytes, name } = await tenWrites()
    const copy = afterDeath(directory)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: ends[8]!, max: bytes.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        async (at, bit) => {
          const flipped = Buffer.from(bytes)
          flipped[at]! ^= 1 << bit
          writeFileSync(join(copy, name), flipped)
          for (const other of readdirSync(copy))
            if (other !== name && /^0.*log$/.test(other)) rmSync(join(copy, other))
          const journal = fileJournal(copy)
          expect((await journal.counts()).pending).toBe(9)
          expect(journal.recovered.dropped).toMatchObject({ offset: ends[8]! })
          await journal.close()
        },
      ),
      { numRuns: 200 },
    )
  })

  it('is an error that names file and byte when any bit before the last write is flipped, and nothing is changed', async () => {
    const { directory, ends, bytes, name } = await tenWrites()
    const copy = afterDeath(directory)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: ends[8]! - 1 }),
        fc.integer({ min: 0, max: 7 }),
        async (at, bit) => {
          const flipped = Buffer.from(bytes)
          flipped[at]! ^= 1 << bit
          writeFileSync(join(copy, name), flipped)
          const files = readdirSync(copy).toSorted()
          const frame = [0, ...ends].findLast((end) => end <= at)!
          expect(() => fileJournal(copy)).toThrow(
            expect.objectContaining({
              code: 'ERR_JOURNAL_DAMAGED',
              message: expect.stringContaining(`${join(copy, name)} is damaged at byte ${frame}`) as string,
            }),
          )
          expect(readFileSync(join(copy, name)).equals(flipped)).toBe(true)
          expect(readdirSync(copy).toSorted()).toEqual(files)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('is an error when a log in the middle, its end, or a checkpoint is damaged', async () => {
    const directory = folder()
    const first = fileJournal(directory)
    await first.put('a', put(1), 10)
    await first.close()
    // Dies before its checkpoint: two logs.
    const [log] = logs(directory)
    const bytes = readFileSync(log!)
    const second = fileJournal(directory)
    await second.put('b', put(2), 10)
    await second.close()
    writeFileSync(log!, bytes)
    const checkpoints = readdirSync(directory).filter((name) => name.endsWith('.checkpoint'))
    const checkpoint = join(directory, checkpoints.at(-1)!)
    const whole = readFileSync(checkpoint)
    for (const damaged of [whole.subarray(0, -1), Buffer.concat([whole.subarray(0, -1), Buffer.from([7])])]) {
      writeFileSync(checkpoint, damaged)
      expect(() => fileJournal(directory)).toThrow(/checkpoint is damaged at byte/)
    }
    for (const name of checkpoints) rmSync(join(directory, name))
    const both = fileJournal(directory)
    expect(both.recovered.operations).toBe(2)
    await both.close()
    for (const name of readdirSync(directory)) if (name.endsWith('.checkpoint')) rmSync(join(directory, name))
    truncateSync(log!, bytes.length - 1)
    expect(() => fileJournal(directory)).toThrow(
      expect.objectContaining({
        code: 'ERR_JOURNAL_DAMAGED',
        message: expect.stringContaining(log!) as string,
      }),
    )
    rmSync(log!)
    expect(() => fileJournal(directory)).toThrow('in place of 0')
  })
})

const source = fileURLToPath(new URL('../../', import.meta.url))
const built = new URL('../../dist/file-journal.js', import.meta.url).href

function build(): void {
  const tsc = join(source, '../../node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-b', join(source, 'tsconfig.build.json')])
}

describe('one owner', () => {
  it('a second journal on the directory is refused, also in this process, until the first is closed', async () => {
    const directory = folder()
    const first = fileJournal(directory)
    expect(() => fileJournal(directory)).toThrow(
      expect.objectContaining({
        code: 'ERR_JOURNAL_IN_USE',
        message: expect.stringContaining(`process ${process.pid}`) as string,
      }),
    )
    await first.close()
    await fileJournal(directory).close()
    expect(readdirSync(directory).filter((name) => name.startsWith('lock.'))).toEqual([])
  })

  it('another process is refused while this one lives, and takes over when its owner was killed', async () => {
    build()
    const directory = folder()
    const program = `
      const { fileJournal } = await import(${JSON.stringify(built)})
      try {
        const journal = fileJournal(${JSON.stringify(directory)})
        await journal.put('of the other', { kind: 'put', value: 1 }, 10)
        process.kill(process.pid, 'SIGKILL')
      } catch (error) { console.log(error.code) }`
    const run = () =>
      spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    const mine = fileJournal(directory)
    expect(run().stdout.trim()).toBe('ERR_JOURNAL_IN_USE')
    await mine.close()
    expect(run().signal).toBe('SIGKILL')
    expect(readdirSync(directory).filter((name) => name.startsWith('lock.'))).toHaveLength(1)
    expect(open(directory).recovered.operations).toBe(1)
  })

  it('what a process of another start of the machine, or one whose number was given anew, left is taken over', async () => {
    const directory = folder()
    const journal = fileJournal(directory)
    const name = readdirSync(directory).find((file) => file.startsWith('lock.'))
    await journal.close()
    const [, pid, host, boot, start] = name!.split('.')
    writeFileSync(join(directory, `lock.${pid}.${host}.another.${start}.x`), '')
    writeFileSync(join(directory, `lock.${pid}.${host}.${boot}.1.x`), '')
    await fileJournal(directory).close()
    writeFileSync(join(directory, `lock.${pid}.elsewhere.${boot}.${start}.x`), '')
    expect(() => fileJournal(directory)).toThrow(/elsewhere/)
  })

  it('of many processes that take over a dead one at once, one at most has the directory', async () => {
    build()
    const directory = folder()
    writeFileSync(join(directory, 'seed'), '')
    const program = `
      const { fileJournal } = await import(${JSON.stringify(built)})
      const { appendFileSync } = await import('node:fs')
      const log = ${JSON.stringify(join(directory, 'seed'))}
      for (let i = 0; i < 20; i++) {
        try {
          const journal = fileJournal(${JSON.stringify(join(directory, 'journal'))})
          appendFileSync(log, 'in\\n')
          await journal.put('n', { kind: 'put', value: i }, 10)
          appendFileSync(log, 'out\\n')
          await journal.close()
        } catch (error) { if (error.code !== 'ERR_JOURNAL_IN_USE') throw error }
      }`
    const { spawn } = await import('node:child_process')
    const ends = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
          stdio: ['ignore', 'inherit', 'inherit'],
        })
        return new Promise((resolve) => child.once('exit', resolve))
      }),
    )
    expect(ends).toEqual([0, 0, 0, 0])
    const told = readFileSync(join(directory, 'seed'), 'utf8').trim().split('\n')
    expect(told.length).toBeGreaterThan(1)
    told.forEach((word, i) => expect(word).toBe(i % 2 === 0 ? 'in' : 'out'))
  })
})

describe('a disk that is full', () => {
  it('rejects what does not fit, keeps what was accepted, and goes on when there is room', async () => {
    build()
    const directory = folder()
    const program = `
      const { fileJournal } = await import(${JSON.stringify(built)})
      const journal = fileJournal(${JSON.stringify(directory)}, { segmentBytes: 1e9 })
      const put = (key, size) => journal.put(key, { kind: 'put', value: 'x'.repeat(size) }, 1e6)
        .then(() => 'ok', (error) => error.code + ' ' + error.cause.code)
      const told = []
      for (let n = 0; n < 8; n++) told.push(await put('k' + n, 20_000))
      // What is small still fits; an acknowledgement that does not is done again after a restart.
      told.push(await put('small', 10))
      await journal.ack([{ key: 'small', sequence: (await journal.read(['small'])).get('small').sequence }])
      told.push((await journal.counts()).pending)
      console.log(JSON.stringify(told))
      process.kill(process.pid, 'SIGKILL')`
    // No file may grow beyond 64 blocks of a kilobyte.
    const run = spawnSync(
      'bash',
      ['-c', `ulimit -f 64; exec "${process.execPath}" --input-type=module -e "$0"`, program],
      { encoding: 'utf8' },
    )
    const refused = Array.from({ length: 5 }, () => 'ERR_JOURNAL EFBIG')
    expect(JSON.parse(run.stdout)).toEqual(['ok', 'ok', 'ok', ...refused, 'ok', 3])
    const journal = open(directory)
    expect(journal.recovered).toEqual({ operations: 3 })
    expect((await journal.counts()).accepted).toBe(4)
  })
})

describe('a directory', () => {
  it('that cannot be one is ERR_JOURNAL', () => {
    const file = join(folder(), 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'below')]) {
      expect(() => fileJournal(path)).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL' }))
    }
  })

  it('that is taken away refuses what it could not keep, also when another journal has it', async () => {
    const directory = join(folder(), 'journal')
    const first = fileJournal(directory)
    await first.put('a', put(1), 10)
    rmSync(directory, { recursive: true })
    await expect(first.put('b', put(1), 10)).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
    const second = fileJournal(directory)
    await second.put('c', put(1), 10)
    await expect(first.put('b', put(1), 10)).rejects.toMatchObject({ code: 'ERR_JOURNAL' })
    await first.close()
    expect(await second.counts()).toMatchObject({ pending: 1 })
    await second.close()
  })
})

describe('options', () => {
  it.each<[unknown, RegExp]>([
    [{ fsync: 'sometimes' }, /fsync/],
    [{ fsync: -1 }, /fsync/],
    [{ segmentBytes: 0 }, /segmentBytes/],
    [{ sync: 'always' }, /unknown option 'sync'/],
    [{ codec: { encode: String } }, /codec must have the methods decode/],
    [{ clock: {} }, /clock must have the methods/],
    [null, /fileJournal takes an object/],
  ])('%o is refused', (wrong, message) => {
    expect(() => fileJournal(folder(), wrong as FileJournalOptions)).toThrow(message)
  })
})
