import type { Journal } from '@flow-cache/core'
import { fakeClock, journalCases } from '@flow-cache/core/testing'
import { memoryJournal } from '@flow-cache/strategies'
import { expect, it } from 'vitest'

/** Journals that break one promise each. */
const broken: Record<string, (journal: Journal) => Partial<Journal>> = {
  'acknowledges whatever is there': (journal) => ({
    async ack(done) {
      for (const { key } of done) {
        const sequence = (await journal.read([key])).get(key)?.sequence
        if (sequence !== undefined) await journal.ack([{ key, sequence }])
      }
    },
  }),
  'forgets acknowledgements': () => ({ ack: () => undefined }),
  'hands out what is being done': (journal) => ({ claim: (limit) => journal.claim(limit, 0) }),
  'never hands out again what a dead process had': (journal) => ({
    claim: (limit) => journal.claim(limit, 1e12),
  }),
  'knows no limit': (journal) => ({
    put: (key, operation) => journal.put(key, operation, Infinity),
  }),
  'hands out too much': (journal) => ({ claim: (_, leaseMs) => journal.claim(1_000, leaseMs) }),
  'never gives up': (journal) => ({
    fail: (failures) => journal.fail(failures.map((failure) => ({ ...failure, retryIn: 0 }))),
  }),
  'counts what was not tried': (journal) => ({
    fail: (failures) => journal.fail(failures.map((failure) => ({ error: '', ...failure }))),
  }),
  'loses errors': (journal) => ({
    fail: (failures) => journal.fail(failures.map((failure) => ({ ...failure, error: '' }))),
  }),
  'retries everything': (journal) => ({ retry: () => journal.retry() }),
  'drops nothing': () => ({ drop: () => [] }),
  'does not count what was dropped': (journal) => ({
    counts: async () => ({ ...(await journal.counts()), dropped: 0 }),
  }),
  'keeps on after close': () => ({ close: () => undefined }),
}

it.each(Object.keys(broken))('a journal that %s is found', async (name) => {
  const failed: string[] = []
  for (const { name: sentence, outlives, run } of journalCases) {
    if (outlives) continue
    const clock = fakeClock()
    const journal = memoryJournal({ clock })
    await run({
      journal: { ...journal, ...broken[name]!(journal) },
      pass: (ms) => clock.advance(ms),
    }).catch(() => failed.push(sentence))
  }
  expect(failed).not.toEqual([])
})
