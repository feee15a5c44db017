import type { Answer } from './answer.js'
import type { Desk } from './desk.js'
import { count, duration, type Look, table, tone, wrap } from './layout.js'
import { type Step, type StepName, stepNames } from './steps.js'

/** Below this share of the question covered, the answer begins with a warning. */
const thin = 0.5

/** What answers: how many documents, and where. */
export function showCorpus({ corpus }: Answer, dir: string, look: Look): string {
  const { documents, packages, found, left } = corpus
  const from = packages > 1 ? ` of ${count(packages, 'package')}` : ''
  const lines = [`${count(documents, 'Markdown document')}${from} in ${dir}`]
  if (left > 0) {
    const share = `${left.toLocaleString('en')} of ${count(found, 'file')}`
    lines.push(`Not all of them: ${share} were left out; see --max-documents.`)
  }
  return tone(look, 'quiet', lines.join('\n'))
}

/** The brief with its numbered sources. */
export function showAnswer({ question, brief }: Answer, look: Look): string {
  const bullet = look.ascii ? '-' : '•'
  const lines = [tone(look, 'title', question), '']
  if (brief.sentences.length === 0)
    lines.push('  The documents that mention it have no sentence that could be quoted.')
  else if (brief.coverage < thin) {
    lines.push('  Little is written about this here. The nearest there is:', '')
  }
  for (const { text, source } of brief.sentences) {
    const number = `[${source}]`
    const quoted = wrap(`${text} ${number}`, look.width, `  ${bullet} `, '    ')
    lines.push(quoted.slice(0, -number.length) + tone(look, 'number', number))
  }
  if (brief.sources.length > 0) lines.push('')
  for (const [i, { package: name, version, file, headings }] of brief.sources.entries()) {
    const arrow = look.ascii ? ' > ' : ' › '
    const where = headings.length === 0 ? '' : `: ${headings.slice(-2).join(arrow)}`
    const line = wrap(
      `${`${name} ${version}`.trim()}, ${file}${where}`,
      look.width,
      `  [${i + 1}] `,
      '      ',
    )
    lines.push(tone(look, 'quiet', line))
  }
  return lines.join('\n')
}

/** What each step of one answer did, took and saved. */
export function showSteps({ steps, ms }: Answer, look: Look): string {
  const saved = steps.reduce((sum, step) => sum + step.savedMs, 0)
  const rows = [
    ['step', '', 'time', 'saved', ''],
    ...steps.map((step) => [step.name, said[step.from], duration(step.ms), savings(step), step.note]),
    ['total', '', duration(ms), saved === 0 ? '' : duration(saved), ''],
  ]
  const lines = table(rows, ['left', 'left', 'right', 'right', 'left']).map((line) => `  ${line}`)
  return lines
    .map((line, i) => {
      if (i === 0) return tone(look, 'quiet', line)
      return steps[i - 1]?.from === 'cache' ? tone(look, 'good', line) : line
    })
    .join('\n')
}

/** What each step did in two processes that asked at the same moment. */
export function showTogether(mine: Answer, theirs: Answer, look: Look): string {
  const cell = (step: Step | undefined): string[] =>
    step === undefined ? ['', ''] : [said[step.from], duration(step.ms)]
  const rows = [
    ['step', 'this process', '', 'the other one', ''],
    ...stepNames.map((name) => {
      const [a, b] = [mine, theirs].map(({ steps }) => steps.find((step) => step.name === name))
      return [name, ...cell(a), ...cell(b)]
    }),
    ['total', '', duration(mine.ms), '', duration(theirs.ms)],
  ]
  const lines = table(rows, ['left', 'left', 'right', 'left', 'right']).map((line) => `  ${line}`)
  const [head, ...rest] = lines
  return [tone(look, 'quiet', head ?? ''), ...rest, '', wrap(sharing(mine, theirs), look.width)].join('\n')
}

/** Who made what, in words. */
function sharing(mine: Answer, theirs: Answer): string {
  const made = (['chunk', 'index', 'brief'] as const).map((name) => {
    const [here, there] = [mine, theirs].map(({ steps }) => steps.find((step) => step.name === name)?.from)
    if (here === 'cache' && there === 'cache') return `${name}: was in Redis already`
    if (there === 'cache') return `${name}: made here, taken from Redis there`
    if (here === 'cache') return `${name}: made there, taken from Redis here`
    return name === 'chunk' ? 'chunk: each made a part of the files' : `${name}: made in both`
  })
  return `${made.join('; ')}.`
}

const said = { ran: 'ran', cache: 'cache', both: 'ran, cache', shared: 'shared' } as const

function savings({ from, savedMs }: Step): string {
  return from === 'ran' ? '' : duration(savedMs)
}

/** What caching each node has brought so far, net of what it took; also where it takes more than it brings. */
export function showNodes(reports: ReturnType<Desk['reports']>, look: Look): string {
  const rows = [
    ['node', 'hits', 'shared', 'runs', 'saved', 'caching took', 'net', ''],
    ...reports.map(({ name, hits, stale, shared, misses, bypass, savedMs, overheadMs, netSavedMs }) => [
      `  ${name}`,
      ...[hits + stale, shared, misses + bypass].map((number) => number.toLocaleString('en')),
      ...[savedMs, overheadMs, netSavedMs].map(duration),
      netSavedMs < 0 ? 'does not pay' : 'pays',
    ]),
  ]
  const align = ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'] as const
  const [head, ...lines] = table(rows, align)
  return [tone(look, 'title', head ?? ''), ...lines].join('\n')
}

/** What the cache knows of each step of one answer. */
export function showExplained({ steps }: Answer, look: Look): string {
  const rows = [
    ['step', 'answer', 'because', 'age', 'fresh for', 'key'],
    ...steps.map(({ name, cache }) =>
      cache === undefined
        ? [name, 'ran', 'not cached', '', '', '']
        : [
            name,
            cache.items === undefined
              ? cache.status
              : `${cache.items.hits} hits, ${cache.items.misses} misses`,
            cache.reason ?? '',
            cache.ageMs === undefined ? '' : duration(cache.ageMs),
            cache.ttlMs === undefined || cache.ttlMs === Infinity ? '' : duration(cache.ttlMs),
            cache.key ?? (cache.items === undefined ? '' : 'one for each file'),
          ],
    ),
  ]
  const lines = table(rows, ['left', 'left', 'left', 'right', 'right', 'left']).map((line) => `  ${line}`)
  const [head, ...rest] = lines
  return [tone(look, 'quiet', head ?? ''), ...rest].join('\n')
}

/** The same questions without and with what the cache remembers, by step and in total. */
export function showComparison(cold: readonly Answer[], warm: readonly Answer[], look: Look): string {
  const asked = [...cold, ...warm]
  const row = (label: string, name?: StepName): string[] => {
    const saved = total(asked, 'savedMs', name)
    const times = [total(cold, 'ms', name), total(warm, 'ms', name)]
    return [label, ...times.map(duration), saved === 0 ? '-' : duration(saved)]
  }
  const questions = cold.length === 1 ? 'question' : `${cold.length} questions`
  const rows = [
    [`the ${questions}, step by step`, 'first time', 'again', 'saved by the cache'],
    ...stepNames.map((name) => row(`  ${name}`, name)),
    row('total'),
  ]
  const [head, ...lines] = table(rows, ['left', 'right', 'right', 'right'])
  const first = total(cold, 'ms')
  const second = total(warm, 'ms')
  const without = first + second + total(asked, 'savedMs')
  const summary =
    `Both times together: ${duration(first + second)}. Without the cache, by the recorded cost of each step: ` +
    `about ${duration(without)}. Asking again was ${(first / second).toFixed(0)} times as fast as asking first.`
  return [tone(look, 'title', head ?? ''), ...lines, '', wrap(summary, look.width)].join('\n')
}

function total(answers: readonly Answer[], what: 'ms' | 'savedMs', name?: StepName): number {
  const steps = answers.flatMap((answer) => answer.steps)
  return steps.reduce((sum, step) => sum + (name === undefined || step.name === name ? step[what] : 0), 0)
}

/** One line for an answer that was asked before. */
export function showAgain(answer: Answer, look: Look): string {
  const hits = answer.steps.filter((step) => step.from === 'cache').map((step) => step.name)
  const from = hits.length === 0 ? 'nothing from the cache' : `${hits.join(', ')} from the cache`
  return `  ${answer.question}  ${tone(look, 'good', duration(answer.ms))}${tone(look, 'quiet', `, ${from}`)}`
}
