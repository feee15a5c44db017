import { parseArgs } from 'node:util'
import { markdown } from '../report.js'
import { cellsOf, sectionsOf, sizesOf } from './table.js'
import { readTrace } from './trace.js'
import { traceFiles } from './trace-files.js'

const usage = `usage: pnpm bench:hit-ratio [<trace or folder of them> …] [--sizes 0.5%,1%,5%,20%]
Without a path: what lies in FLOW_CACHE_TRACES, or in shared/traces beside this repository.
`
/** The table of every trace file that was named, or lies in a folder that was named. */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { sizes: { type: 'string' } } })
const shares = (values.sizes ?? '0.5%,1%,5%,20%').split(',').map((share) => Number.parseFloat(share) / 100)
if (shares.some((share) => !(share > 0))) {
  process.stderr.write(`${usage}--sizes must be shares of the keys, got "${values.sizes}".\n`)
  process.exit(1)
}
const files = await traceFiles(positionals).catch((error: Error) => {
  process.stderr.write(`${usage}${error.message}\n`)
  process.exit(1)
})

const cells = []
for (const file of files) {
  const trace = await readTrace(file)
  process.stderr.write(`${trace.name}: ${trace.ids.length} requests, ${trace.unique} keys\n`)
  for (const note of trace.notes) process.stderr.write(`  left out: ${note}\n`)
  cells.push(...cellsOf(trace, sizesOf(trace, shares)))
}
process.stdout.write(`${markdown(sectionsOf(cells))}\n`)
