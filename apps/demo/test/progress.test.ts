import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { warmingOn } from '../src/progress.js'

/** A stream, as of a terminal or not, and what was written to it. */
function streamOf(isTTY: boolean): { stream: NodeJS.WriteStream; written: () => string } {
  const stream = new PassThrough()
  return {
    stream: Object.assign(stream, { isTTY, columns: 80 }) as unknown as NodeJS.WriteStream,
    written: () => String(stream.read() ?? ''),
  }
}

const progress = {
  done: 0,
  loaded: 0,
  skipped: 0,
  absent: 0,
  failed: 0,
  total: 4,
  rate: 0,
  leftMs: undefined,
}

describe('warming', () => {
  it('moves a bar on a terminal, with the time left, and takes it away', () => {
    const { stream, written } = streamOf(true)
    const { at, end } = warmingOn(stream, false)
    at({ ...progress })
    expect(written()).toMatch(/ warming ░{30} 0 of 4 · /)
    at({ ...progress, done: 2, leftMs: 1_500 })
    end()
    expect(written()).toMatch(/ warming █{15}░{15} 2 of 4 · 1\.50 s left/)
    expect(written()).toBe('')
  })

  it.each([
    ['where there is no terminal', false, false],
    ['where it is to be plain', true, true],
  ])('writes a line for each key %s', (_, isTTY, plain) => {
    const { stream, written } = streamOf(isTTY)
    const { at, end } = warmingOn(stream, plain)
    for (const done of [0, 1, 1, 2]) at({ ...progress, done })
    end()
    expect(written()).toBe('warming: 1 of 4 ...\nwarming: 2 of 4 ...\n')
  })
})
