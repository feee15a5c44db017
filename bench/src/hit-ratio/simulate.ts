import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chartOf } from './chart.js'
import { hitRatio, policies, type PolicyName } from './policies.js'
import { parseSizes } from './sizes.js'
import { readTrace } from './trace.js'

const names = Object.keys(policies) as readonly PolicyName[]
const usage = `usage: pnpm bench:simulate <trace or access log> [--sizes 1000,10k,5%] [--policy ${names.join('|')}]
How large should a cache be? Prints the hit ratio at each size: entries (1000, 10k, 1M) or shares of the keys (5%).
A file is an access log (.log), a key in each line, or 32-bit numbers (.u32), each also as .gz.
`

/** Answers how large a cache should be for the requests in a file. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '0.1%,0.2%,0.5%,1%,2%,5%,10%,20%,50%,100%' },
    policy: { type: 'string', default: 'adaptive' },
  },
})
const [path, ...more] = positionals
const policy = names.find((name) => name === values.policy)
if (path === undefined || more.length > 0 || policy === undefined) {
  process.stderr.write(usage)
  process.exit(1)
}

const trace = await readTrace(resolve(process.env['INIT_CWD'] ?? '.', path))
const sizes = parseSizes(values.sizes, trace.unique)
process.stdout.write(`${trace.name}: ${trace.ids.length} requests, ${trace.unique} keys, ${policy}\n`)
for (const note of trace.notes) process.stdout.write(`left out: ${note}\n`)
const most = 100 * (1 - trace.unique / trace.ids.length)
process.stdout.write(
  `${chartOf(
    sizes.map((size) => [size, hitRatio(policy, trace, size)]),
    most,
  )}\n`,
)
