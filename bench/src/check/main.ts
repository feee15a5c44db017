import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { markdown } from '../report.js'
import { measureOnce } from '../rounds.js'
import { machine, versions } from '../surroundings.js'
import { type Measured, measure, ratiosOf } from './measure.js'
import { fallsOf, type Ratios, tableOf } from './verdict.js'
import { watched } from './watched.js'

const file = new URL('../../released.json', import.meta.url)
const usage = `usage: pnpm bench:check [--rounds n] [--once] [--write]
Measures what is watched and compares it with bench/released.json, what the last release had. What seems to have fallen is
measured again, three times at most, and the median of everything counts. A fall of more than a fifth fails.
--once does not wait for the machine to be quiet. --write keeps what it finds as the figures of a release, in place of comparing.
`

/** How often what seems to have fallen is measured again. */
const again = 3

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    once: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
if (values.help || !Number.isInteger(rounds) || rounds < 1) {
  ;(values.help ? process.stdout : process.stderr).write(usage)
  process.exit(values.help ? 0 : 1)
}

if (values.once) measureOnce()
const released = values.write ? {} : await readReleased()
const all: readonly Measured[] = watched.map((one) => ({ watched: one, rounds: [] }))
for (const one of all) {
  process.stderr.write(`${one.watched.question} `)
  await measure(one, rounds)
}
for (let i = 0; i < again; i++) {
  const fallen = all.filter((one) => fallsOf(released, ratiosOf(one)).length > 0)
  if (fallen.length === 0) break
  process.stderr.write('\nagain: ')
  for (const one of fallen) {
    process.stderr.write(`${one.watched.question} `)
    await measure(one, rounds)
  }
}
process.stderr.write('\n')

const ratios: Ratios = Object.assign({}, ...all.map(ratiosOf))
process.stdout.write(`${markdown([tableOf(released, ratios)])}\n${machine()}.\n`)
if (values.write) {
  const page = { machine: machine(), version: (await versions())['@flow-cache/core'], ratios }
  await writeFile(file, `${JSON.stringify(page, undefined, 2)}\n`)
}
const falls = fallsOf(released, ratios)
if (falls.length > 0) {
  process.stderr.write(`Slower than the last release by more than a fifth: ${falls.join('; ')}.\n`)
  process.exitCode = 1
}

/** What the last release had. Before the first one there is nothing to compare with, and nothing to measure for. */
async function readReleased(): Promise<Ratios> {
  const text = await readFile(file, 'utf8').catch(() => {
    process.stdout.write(
      'There is no bench/released.json, so this is the first release and nothing has fallen. Make it after the release, on a quiet machine, with pnpm bench:check --write.\n',
    )
    process.exit(0)
  })
  return (JSON.parse(text) as { readonly ratios: Ratios }).ratios
}
