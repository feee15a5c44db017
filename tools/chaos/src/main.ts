import { parseArgs } from 'node:util'
import { run } from './run.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    processes: { type: 'string', default: '3' },
    delta: { type: 'string', default: '500' },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
console.log(`seed ${seed}`)
const report = await run({
  ms: Number(values.minutes) * 60_000,
  seed,
  processes: Number(values.processes),
  delta: Number(values.delta),
  onProgress: (text) => console.log(text),
})
const { violations, faults, reads, writes, loads, staleness } = report
console.log(`${reads + writes} operations: ${reads} reads, ${writes} writes; ${loads} loads`)
for (const [name, count] of Object.entries(faults)) console.log(`  ${name}: ${count}`)
console.log(`behind by ${staleness.toFixed(1)} ms at most, outside outages and their recovery`)
console.log(`${violations.length} violations at a Δ of ${values.delta} ms`)
for (const violation of violations.slice(0, 5)) console.log(JSON.stringify(violation, undefined, 1))
process.exitCode = violations.length === 0 ? 0 : 1
