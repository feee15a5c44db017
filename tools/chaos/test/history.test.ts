import { describe, expect, it } from 'vitest'
import { History, type Write } from '../src/history.js'
import type { Read } from '../src/sightings.js'

/** A history of one key, unless another is named. Processes are 1 and 2. */
class Story {
  readonly history = new History()

  wrote(value: string, begin: number, end: number, more: Partial<Write> = {}): this {
    this.history.write({ key: 'k', value, process: 1, begin, end, acknowledged: true, ...more })
    return this
  }

  read(value: string, begin: number, end: number = begin + 1, more: Partial<Read> = {}): this {
    this.history.read({ key: 'k', value, process: 2, begin, end, ...more })
    return this
  }

  kinds(delta = 10): string[] {
    return this.history.judge(delta).violations.map(({ kind }) => kind)
  }
}

const story = (): Story => new Story()

describe('the checker accepts', () => {
  it('the old value and the new one while a write is under way', () => {
    expect(story().wrote('a', 0, 1).wrote('b', 100, 200).read('a', 150).read('b', 150).kinds()).toEqual([])
  })

  it('the old value within Δ after the write, in another process', () => {
    expect(story().wrote('a', 0, 1).wrote('b', 100, 200).read('a', 209).kinds()).toEqual([])
  })

  it('either of two writes that overlapped, for as long as no other follows', () => {
    const told = story().wrote('a', 0, 100).wrote('b', 50, 150)
    expect(told.read('a', 1_000).read('b', 1_001).read('a', 1_002).kinds()).toEqual([])
  })

  it('the old value after a write that failed', () => {
    expect(
      story().wrote('a', 0, 1).wrote('b', 100, 200, { acknowledged: false }).read('a', 5_000).kinds(),
    ).toEqual([])
  })

  it('the old value in an outage, of this process or of all, and in outages that join', () => {
    const told = story().wrote('a', 0, 1).wrote('b', 500, 600).read('a', 900)
    expect(told.kinds()).toEqual(['stale'])
    told.history.outage({ process: 1, begin: 400, end: 1_000 })
    expect(told.kinds()).toEqual(['stale'])
    told.history.outage({ process: 2, begin: 700, end: 1_000 })
    told.history.outage({ process: undefined, begin: 550, end: 750 })
    expect(told.kinds()).toEqual([])
  })
})

describe('the checker finds', () => {
  it('a value that was overtaken longer ago than Δ', () => {
    const { violations, staleness } = story()
      .wrote('a', 0, 1)
      .wrote('b', 100, 200)
      .read('a', 220)
      .history.judge(10)
    expect(violations).toMatchObject([{ kind: 'stale', by: 20, overtakenBy: { value: 'b' } }])
    expect(staleness).toBe(20)
  })

  it('a value that came back', () => {
    const told = story().wrote('a', 0, 1).wrote('b', 100, 200).wrote('c', 300, 400)
    expect(told.read('c', 500).read('b', 600).read('a', 700).kinds()).toEqual(['stale', 'stale'])
  })

  it('a value older than the process’s own last write, however short ago', () => {
    const told = story().wrote('a', 0, 1).wrote('b', 100, 200, { process: 2 }).read('a', 201)
    expect(told.kinds()).toEqual(['older than its own write'])
  })

  it('a value that was never written, of another key, or from the future', () => {
    const told = story().wrote('a', 0, 1).wrote('x', 0, 1, { key: 'other' }).wrote('late', 1_000, 1_001)
    expect(told.read('never', 10).read('x', 10).read('late', 10).kinds()).toEqual([
      'unknown',
      'another key',
      'from the future',
    ])
  })

  it('the one read that was too late, among many of the same value', () => {
    const told = story().wrote('a', 0, 1).wrote('b', 100, 200)
    for (const at of [205, 50, 260, 10, 150]) told.read('a', at)
    const { reads, violations } = told.history.judge(10)
    expect(reads).toBe(5)
    expect(violations).toMatchObject([{ kind: 'stale', by: 60, count: 5, read: { begin: 260 } }])
  })

  it('the one read that was too early', () => {
    const told = story().wrote('a', 100, 200).read('a', 300).read('a', 50).read('a', 150)
    expect(told.history.judge(10).violations).toMatchObject([
      { kind: 'from the future', read: { begin: 50 } },
    ])
  })

  it('a value that the clock had ended, also in an outage', () => {
    const told = story()
      .wrote('a', 0, 1_000, { byClock: true })
      .wrote('b', 100, 1_100, { byClock: true })
      .read('a', 1_050)
    told.history.outage({ process: undefined, begin: 50, end: 5_000 })
    expect(told.kinds()).toEqual([])
    expect(told.read('a', 1_200).kinds()).toEqual(['expired'])
  })

  it('a value whose write had failed, after a later one was acknowledged', () => {
    const told = story()
      .wrote('a', 0, 1)
      .wrote('zombie', 10, 20, { acknowledged: false })
      .wrote('b', 100, 110)
    expect(told.read('zombie', 50).kinds()).toEqual([])
    expect(told.read('zombie', 500).kinds()).toEqual(['stale'])
  })
})
