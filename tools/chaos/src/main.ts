import { parseArgs } from 'node:util'
import { run } from './run.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    processes: { type: 'string', default: '3' },
    only: { type: 'string' },
    delta: { type: 'string', default: '500' },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
console.log(`seed ${seed}`)
const ending = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ending.abort())
const report = await run({
  signal: ending.signal,
  ms: Number(values.minutes) * 60_000,
  seed,
  processes: Number(values.processes),
  delta: Number(values.delta),
  only: values.only,
  onProgress: (text) => console.log(text),
})
const { violations, faults, reads, writes, loads, calm, staleness } = report
console.log(`${reads + writes} operations: ${reads} reads, ${writes} writes; ${loads} loads`)
for (const [name, count] of Object.entries(faults)) console.log(`  ${name}: ${count}`)
console.log(
  `behind by ${staleness.toFixed(1)} ms at most, outside outages and their recovery, which is ${(calm * 100).toFixed(0)} % of the time`,
)
console.log(`${violations.length} violations at a Δ of ${values.delta} ms`)
for (const violation of violations.slice(0, 5)) console.log(JSON.stringify(violation, undefined, 1))
process.exitCode = violations.length === 0 ? 0 : 1
