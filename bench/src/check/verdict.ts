import { number, type Section } from '../report.js'

/** Costs as multiples of a peer's, by name. */
export type Ratios = Readonly<Record<string, number>>

/** By how much a ratio may be worse than at the last release: a fifth. */
const tolerated = 0.2

/** Whether so much has become worse that it stops a release. */
function isFall(before: number | undefined, now: number): boolean {
  return before !== undefined && now > before * (1 + tolerated)
}

/** The names of what has fallen. */
export function fallsOf(before: Ratios, now: Ratios): readonly string[] {
  return Object.entries(now)
    .filter(([name, ratio]) => isFall(before[name], ratio))
    .map(([name]) => name)
}

/** What was measured beside what the last release had. */
export function tableOf(before: Ratios, now: Ratios): Section {
  const rows = Object.entries(now).map(([name, ratio]) => {
    const last = before[name]
    if (last === undefined) return [name, '', `${number(ratio)}×`, '', 'new']
    const change = Math.round(100 * (ratio / last - 1))
    return [
      name,
      `${number(last)}×`,
      `${number(ratio)}×`,
      `${change > 0 ? '+' : ''}${change} %`,
      isFall(last, ratio) ? '**falls**' : 'holds',
    ]
  })
  const gone = Object.keys(before).filter((name) => now[name] === undefined)
  return {
    title: 'Cost as a multiple of a peer, at the last release and now',
    head: ['', 'last release', 'now', 'change', ''],
    rows: [
      ...rows,
      ...gone.map((name) => [name, `${number(before[name]!)}×`, '', '', 'not measured any more']),
    ],
    note: 'Less is better. More than a fifth on top of what the last release had is a fall.',
  }
}
