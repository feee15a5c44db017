import { markdown } from '../report.js'
import { command } from './command.js'
import { cellsOf, sectionsOf, sizesOf } from './table.js'
import { readTrace } from './trace.js'
import { traceFiles } from './trace-files.js'

const usage = `
usage: pnpm bench:hit-ratio [<trace or folder of them> …] [--sizes 0.5%,1%,5%,20%]

The hit ratio of each policy on each trace, at sizes that are shares of its keys, beside what Belady's optimum has.
Without a path: what lies in FLOW_CACHE_TRACES, or in shared/traces beside this repository.
`

/** The table of every trace file that was named, or lies in a folder that was named. */
await command(usage, ['sizes'], async ({ paths, values: { sizes = '0.5%,1%,5%,20%' } }) => {
  const shares = sizes.split(',').map((share) => Number.parseFloat(share) / 100)
  if (shares.some((share) => !(share > 0)))
    throw new Error(`--sizes must be shares of the keys, got '${sizes}'`)
  const cells = []
  for (const file of await traceFiles(paths)) {
    const trace = await readTrace(file)
    process.stderr.write(`${trace.name}: ${trace.ids.length} requests, ${trace.unique} keys\n`)
    for (const note of trace.notes) process.stderr.write(`  left out: ${note}\n`)
    cells.push(...cellsOf(trace, sizesOf(trace, shares)))
  }
  process.stdout.write(`${markdown(sectionsOf(cells))}\n`)
})
