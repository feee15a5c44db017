import { fakeClock } from '@flow-cache/core/testing'
import { expect, it } from 'vitest'
import { ServerClock } from './server-clock.js'

/** What is known of a server that is 5,000 ms ahead, and how to ask it over ways that take so long. */
function setUp(keepsPace: boolean) {
  const clock = fakeClock()
  const time = new ServerClock(clock, keepsPace)
  return {
    time,
    async ask(there: number, back: number, ahead = 5_000): Promise<void> {
      const sent = clock.now()
      await clock.advance(there + back)
      time.measure(sent + there + ahead, sent)
    },
  }
}

it('is wrong by half of the round trip at most, and never too late by its least', async () => {
  for (const [there, back] of [
    [100, 0],
    [0, 100],
    [50, 50],
  ] as const) {
    const { time, ask } = setUp(false)
    await ask(there, back)
    expect(Math.abs(time.offset - 5_000)).toBeLessThanOrEqual(50)
    expect(time.leastOffset).toBe(5_000 - back)
  }
})

it('goes by the shortest round trip of the last eight', async () => {
  const { time, ask } = setUp(true)
  await ask(2, 0)
  for (let i = 0; i < 7; i++) await ask(100, 0)
  expect(time.offset).toBe(5_001)
  await ask(100, 0)
  expect(time.offset).toBe(5_050)
  await ask(4, 0)
  expect(time.offset).toBe(5_002)
})

it('believes the first that is heard of another server', async () => {
  const { time, ask } = setUp(true)
  await ask(2, 0)
  time.forget()
  expect(time.offset).toBe(5_001)
  await ask(100, 0, 7_000)
  expect(time.offset).toBe(7_050)
})

it('of a clock that is not the system’s, goes by the shortest round trip of all', async () => {
  const { time, ask } = setUp(false)
  await ask(10, 0)
  for (let i = 0; i < 10; i++) await ask(100, 0)
  time.forget()
  await ask(100, 0)
  expect(time.offset).toBe(5_005)
  await ask(2, 0)
  expect(time.offset).toBe(5_001)
})
