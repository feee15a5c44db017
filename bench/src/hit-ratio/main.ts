import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { markdown } from '../report.js'
import { cellsOf, sectionsOf, sizesOf } from './table.js'
import { readTrace } from './trace.js'

const usage = `usage: pnpm bench:hit-ratio <trace or folder of them> … [--sizes 0.5%,1%,5%,20%]
Without a path, FLOW_CACHE_TRACES says where traces are.
`
/** The table of every trace file that was named, or lies in a folder that was named. */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { sizes: { type: 'string' } } })
const shares = (values.sizes ?? '0.5%,1%,5%,20%').split(',').map((share) => Number.parseFloat(share) / 100)
const configured = process.env['FLOW_CACHE_TRACES']
const paths = positionals.length > 0 ? positionals : configured === undefined ? [] : [configured]
if (paths.length === 0 || shares.some((share) => !(share > 0))) {
  process.stderr.write(
    `${usage}No path was given, or sizes that are no shares of the keys; looked at the arguments and FLOW_CACHE_TRACES (${configured ?? 'not set'}).\n`,
  )
  process.exit(1)
}

const files: string[] = []
// pnpm runs this in bench/; what people name is relative to where they are.
for (const path of paths.map((one) => resolve(process.env['INIT_CWD'] ?? '.', one))) {
  if ((await stat(path)).isDirectory()) {
    const names = (await readdir(path)).filter((name) => !name.endsWith('.md')).toSorted()
    if (names.length === 0) throw new Error(`there is no trace in ${path}`)
    files.push(...names.map((name) => join(path, name)))
  } else files.push(path)
}

const cells = []
for (const file of files) {
  const trace = await readTrace(file)
  process.stderr.write(`${trace.name}: ${trace.ids.length} requests, ${trace.unique} keys\n`)
  for (const note of trace.notes) process.stderr.write(`  left out: ${note}\n`)
  cells.push(...cellsOf(trace, sizesOf(trace, shares)))
}
process.stdout.write(`${markdown(sectionsOf(cells))}\n`)
