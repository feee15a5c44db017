import { fakeClock, journalCases } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { memoryJournal } from './memory-journal.js'

describe('memoryJournal keeps the journal contract', () => {
  for (const { name, outlives, run } of journalCases) {
    if (outlives) continue
    it(name, () => {
      const clock = fakeClock()
      return run({ journal: memoryJournal({ clock }), pass: (ms) => clock.advance(ms) })
    })
  }
})

it('a value that is changed after put is not changed in the journal, nor one that was read', async () => {
  const journal = memoryJournal({ clock: fakeClock() })
  const value = { n: 1 }
  await journal.put('a', { kind: 'put', value }, 10)
  value.n = 2
  const seen = journal.local!.read('a') as unknown as { value: { n: number } }
  seen.value.n = 3
  expect(journal.local!.read('a')).toMatchObject({ value: { n: 1 } })
})
