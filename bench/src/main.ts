import { parseArgs } from 'node:util'
import { mkdir, writeFile } from 'node:fs/promises'
import { questions } from './questions.js'
import { contestantNames } from './contestants.js'
import { redisContestantNames } from './redis/contestants.js'
import { machine, versions } from './surroundings.js'
import { markdown } from './report.js'
import { measureOnce } from './rounds.js'

const names = Object.keys(questions)
const everyone: readonly string[] = [...new Set<string>([...contestantNames, ...redisContestantNames])]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
  },
})

const unknown = positionals.filter((name) => !names.includes(name))
// All of them together have to be done in a few minutes.
const rounds = Number(values.rounds ?? (positionals.length > 0 ? 5 : 3))
const only = values.only?.split(',')
const strangers = only?.filter((name) => !everyone.includes(name)) ?? []
if (unknown.length > 0 || strangers.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(
    `usage: pnpm bench [${names.join(' | ')}] [--rounds n] [--only a,b] [--once] [--json] [--write]\n` +
      `contestants: ${everyone.join(', ')}\n`,
  )
  process.exit(1)
}

if (values.once) measureOnce()
const answers: Record<string, unknown> = {}
for (const name of positionals.length > 0 ? positionals : names) {
  process.stderr.write(`${name} `)
  const question = await questions[name as keyof typeof questions]()
  const sections = await question.ask({ rounds, takesPart: (one) => only?.includes(one) ?? true })
  process.stderr.write('\n')
  const surroundings = { machine: machine(), versions: await versions() }
  answers[name] = { ...surroundings, sections }
  const page =
    `## ${name}\n\n${question.text}\n\n${markdown(sections)}\n` +
    `${surroundings.machine}. ${Object.entries(surroundings.versions)
      .map(([pkg, version]) => `${pkg} ${version}`)
      .join(', ')}.\n`
  if (!values.json) process.stdout.write(`${page}\n`)
  if (values.write) {
    const folder = new URL('../results/', import.meta.url)
    await mkdir(folder, { recursive: true })
    await writeFile(new URL(`${name}.md`, folder), page.replace(/^#(#+)/gm, '$1'))
  }
}
if (values.json) process.stdout.write(`${JSON.stringify(answers, undefined, 2)}\n`)
