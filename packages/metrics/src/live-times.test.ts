import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LiveTimes } from './live-times.js'

it('counts what began later and has not ended, as a list does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 60 }), (choices) => {
      const times = new LiveTimes(64)
      const live: number[] = []
      for (const choice of choices) {
        if (choice % 3 === 0 && live.length > 0) times.end(live.splice(choice % live.length, 1)[0]!)
        else live.push(times.begin())
        for (const time of live)
          expect(times.newerThan(time)).toBe(live.filter((other) => other > time).length)
      }
    }),
  )
})

it('is full after as many as it has room for, also if they have ended, and can be cleared', () => {
  const times = new LiveTimes(2)
  times.end(times.begin())
  expect(times.full).toBe(false)
  times.begin()
  expect(times.full).toBe(true)
  times.clear()
  expect(times.full).toBe(false)
  expect(times.newerThan(times.begin())).toBe(0)
})
