import { resolve } from 'node:path'
import { chartOf } from './chart.js'
import { command } from './command.js'
import { hitRatio, policies, type PolicyName } from './policies.js'
import { parseSizes } from './sizes.js'
import { readTrace } from './trace.js'

const names = Object.keys(policies) as readonly PolicyName[]
const usage = `
usage: pnpm bench:simulate <access log or trace> [--sizes 1000,10k,5%] [--policy ${names.join('|')}]

How large should a cache be? Prints the hit ratio of the requests in a file at each size: in entries (1000, 10k, 1M) or as a share of
the keys (5%). Every entry weighs one and none expires. The policy is that of memoryStore if none is given; belady knows the future.

The file is an access log in the common or combined format, a key in each line, or 32-bit numbers (.u32), each also as .gz.
`

/** Answers how large a cache should be for the requests in a file. */
await command(usage, ['sizes', 'policy'], async ({ paths: [path, ...more], values }) => {
  const { sizes: wanted = '0.1%,0.2%,0.5%,1%,2%,5%,10%,20%,50%,100%', policy: asked = 'adaptive' } = values
  if (path === undefined || more.length > 0) throw new Error('Name one file.')
  const policy = names.find((name) => name === asked)
  if (policy === undefined) throw new Error(`--policy must be one of ${names.join(', ')}, got '${asked}'`)

  // pnpm runs this in bench/; what people name is relative to where they are.
  const trace = await readTrace(resolve(process.env['INIT_CWD'] ?? '.', path))
  const sizes = parseSizes(wanted, trace.unique)
  const count = (value: number): string => value.toLocaleString('en')
  process.stdout.write(
    `${trace.name}: ${count(trace.ids.length)} requests, ${count(trace.unique)} keys, ${policy}\n`,
  )
  for (const note of trace.notes) process.stdout.write(`left out: ${note}\n`)
  const most = 100 * (1 - trace.unique / trace.ids.length)
  const points = sizes.map((size) => [size, hitRatio(policy, trace, size)] as const)
  process.stdout.write(`${chartOf(points, most)}\n`)
})
