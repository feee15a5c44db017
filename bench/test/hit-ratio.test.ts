import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOfLogLine } from '../src/hit-ratio/access-log.js'
import { chartOf } from '../src/hit-ratio/chart.js'
import { policies, type PolicyName } from '../src/hit-ratio/policies.js'
import { parseSizes } from '../src/hit-ratio/sizes.js'
import { cellsOf, closedBy, sectionsOf, sizesOf } from '../src/hit-ratio/table.js'
import { ofLines, ofNumbers, readTrace, type Trace } from '../src/hit-ratio/trace.js'

const traceOf = (keys: string): Trace => ofLines('letters', keys.split('').join('\n'), false)
const names = Object.keys(policies) as PolicyName[]

describe('a trace', () => {
  const line = (request: string): string =>
    `::1 - joe [23/Nov/2026:16:00:00 +0000] "${request}" 200 5 "-" "curl/8"`

  it('is read from numbers, lines or an access log, also compressed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hit-ratio-'))
    try {
      const files = {
        'a.u32': Buffer.from(Uint32Array.of(7, 9, 7).buffer),
        'b.txt': 'x\ny\n\nx\n',
        'c.log': [line('GET /x HTTP/1.1'), line('GET /y HTTP/1.1'), line('HEAD /x HTTP/1.1'), ''].join(
          '\r\n',
        ),
      }
      for (const [name, content] of Object.entries(files)) {
        await writeFile(join(folder, name), content)
        await writeFile(join(folder, `${name}.gz`), gzipSync(content))
        for (const path of [name, `${name}.gz`]) {
          const trace = await readTrace(join(folder, path))
          expect([[...trace.ids], trace.unique, trace.notes]).toEqual([[0, 1, 0], 2, []])
        }
      }
      await writeFile(join(folder, 'd.log'), 'hello')
      await expect(readTrace(join(folder, 'd.log'))).rejects.toThrow(
        '1 of 1 lines are not in the common log format',
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('tells what of a log it leaves out', () => {
    const log = [line('GET /a HTTP/1.1'), line('POST /a HTTP/1.1'), 'nonsense', line('GET /b?c=1 HTTP/2.0')]
    expect(ofLines('log', log.join('\n'), true)).toMatchObject({
      unique: 2,
      notes: [
        '1 of 4 lines are of other methods than GET and HEAD',
        '1 of 4 lines are not in the common log format',
      ],
    })
  })

  it('is a log by what its lines are, whatever the file is called', () => {
    const log = [line('GET /a HTTP/1.1'), 'nonsense', line('GET /a HTTP/1.1')].join('\n')
    expect(ofLines('access', log, false)).toMatchObject({
      unique: 1,
      notes: [expect.stringContaining('1 of 3')],
    })
    expect(ofLines('keys', 'a\nb\na', false)).toMatchObject({ unique: 2, notes: [] })
  })

  it('that is no file, or cannot be unpacked, is told in one sentence', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hit-ratio-'))
    try {
      await writeFile(join(folder, 'a.gz'), 'no gzip')
      await expect(readTrace(join(folder, 'a.gz'))).rejects.toThrow('cannot be unpacked')
      await expect(readTrace(join(folder, 'b'))).rejects.toThrow('there is no file')
      await expect(readTrace(folder)).rejects.toThrow('is a folder')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([
    ['GET /a%20b?c=[1] HTTP/1.1', '/a%20b?c=[1]'],
    ['GET /', '/'],
    [String.raw`GET /\"quoted\" HTTP/1.0`, String.raw`/\"quoted\"`],
    ['DELETE /a HTTP/1.1', null],
    ['-', undefined],
    [String.raw`\x16\x03`, undefined],
  ])('a request %s is for %s', (request, key) => {
    expect(keyOfLogLine(line(request))).toBe(key)
  })

  it('that ends within a number is refused', () => {
    expect(() => ofNumbers('cut', new Uint8Array(5))).toThrow('cut must hold 4 bytes a request, got 5')
  })
})

describe('a policy', () => {
  it.each([
    ['lru', 'abcabcabc', 2, 0],
    ['belady', 'abcabcabc', 2, 4],
    ['belady', 'abcabcabc', 3, 6],
    ['lru', 'aabbcca', 2, 3],
    ['belady', 'aabbcca', 2, 4],
    ['s3-fifo', 'aaabcdeaaa', 4, 5],
  ] as const)('%s has on %s with room for %i %i hits', (policy, keys, size, hits) => {
    expect(policies[policy](traceOf(keys), size)).toBe(hits)
  })

  it('never has more hits than Belady, and with room for all just one miss a key', () => {
    const anyTrace = fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(anyTrace, fc.integer({ min: 1, max: 12 }), (keys, size) => {
        const trace = ofLines('any', keys.join('\n'), false)
        const most = policies.belady(trace, size)
        for (const name of names) {
          expect(policies[name](trace, size)).toBeLessThanOrEqual(most)
          if (name !== 's3-fifo') expect(policies[name](trace, trace.unique)).toBe(keys.length - trace.unique)
        }
      }),
    )
  })

  it('that is Belady does as well as trying everything', () => {
    const anyTrace = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(anyTrace, fc.integer({ min: 1, max: 3 }), (keys, size) => {
        const { ids, ...rest } = ofLines('any', keys.join('\n'), false)
        expect(policies.belady({ ids, ...rest }, size)).toBe(bestOfAll([...ids], size))
      }),
    )
  })
})

describe('a table', () => {
  it('shows every cell, how much of the gap is closed, and the worst of it', () => {
    const ids = Array.from({ length: 5000 }, (_, i) => i % 50)
    const trace = ofLines('loop', ids.join('\n'), false)
    const cells = cellsOf(trace, sizesOf(trace, [0.5, 0.5, 1]))
    expect(cells.map(({ size }) => size)).toEqual([25, 50])
    expect(cells[0]!.ratios.lru).toBe(0)
    expect(closedBy('adaptive', cells[0]!)).toBeGreaterThan(50)
    expect(closedBy('adaptive', cells[1]!)).toBeUndefined()
    const [table, all] = sectionsOf(cells)
    expect(table!.rows.map((row) => row.slice(0, 3))).toEqual([
      ['loop', '25', '0.00'],
      ['loop', '50', '99.00'],
    ])
    expect(all!.rows[1]).toMatchObject({ 0: 'adaptive', 2: '0.00 points', 3: 'loop, 50' })
  })
})

describe('a simulation', () => {
  it('takes sizes in entries and as shares of the keys', () => {
    expect(parseSizes('1k, 20,5%,0.001%,1M,50', 1000)).toEqual([1, 20, 50, 1000, 1_000_000])
    for (const wrong of ['', '5x', '-1', '0', '1,,2']) expect(() => parseSizes(wrong, 10)).toThrow(RangeError)
  })

  it('draws a bar for each size, and where the first requests for keys bound it', () => {
    const [, first, second, foot] = chartOf([[10, 25], [2000, 80]], 80).split('\n') // prettier-ignore
    expect(first).toBe(`     10   25.00 %  ${'█'.repeat(13)}${' '.repeat(27)}│`)
    expect(second).toBe(`  2,000   80.00 %  ${'█'.repeat(40)}`)
    expect(foot).toBe(
      'At most 80.00 %: the first request for a key is a miss. Nine tenths of that take 2,000 entries, of the sizes shown.',
    )
  })

  it('says where none of the sizes is enough, and where no cache helps', () => {
    expect(chartOf([[10, 25]], 80)).toContain('None of these sizes has nine tenths of that.')
    expect(chartOf([[10, 0]], 0)).toContain('No key is asked for twice')
  })
})

/** The most hits that any choice of what to keep can have. */
function bestOfAll(ids: readonly number[], size: number, held: readonly number[] = []): number {
  const [id, ...rest] = ids
  if (id === undefined) return 0
  if (held.includes(id)) return 1 + bestOfAll(rest, size, held)
  if (held.length < size) return bestOfAll(rest, size, [...held, id])
  const choices = [held, ...held.map((one) => held.map((other) => (other === one ? id : other)))]
  return Math.max(...choices.map((choice) => bestOfAll(rest, size, choice)))
}
