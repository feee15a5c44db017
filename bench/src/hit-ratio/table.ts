import type { Section } from '../report.js'
import { hitRatio, policies, type PolicyName } from './policies.js'
import type { Trace } from './trace.js'

const names = Object.keys(policies) as readonly PolicyName[]
const rivals = ['s3-fifo', 'adaptive'] as const

/** The hit ratio of each policy at one size, in percent. */
export interface Cell {
  readonly trace: string
  readonly size: number
  readonly ratios: Readonly<Record<PolicyName, number>>
}

/** The sizes that shares of the keys come to, each once. */
export function sizesOf(trace: Trace, shares: readonly number[]): readonly number[] {
  return [...new Set(shares.map((share) => Math.max(1, Math.round(share * trace.unique))))]
}

/** What each policy makes of a trace at these sizes. */
export function cellsOf(trace: Trace, sizes: readonly number[]): readonly Cell[] {
  return sizes.map((size) => ({
    trace: trace.name,
    size,
    ratios: Object.fromEntries(names.map((name) => [name, hitRatio(name, trace, size)])) as Cell['ratios'],
  }))
}

/** How much of what Belady's optimum has more than LRU a policy closes, in percent; nothing where that is under a point. */
export function closedBy(
  policy: PolicyName,
  { ratios: { lru, belady, [policy]: own } }: Cell,
): number | undefined {
  return belady - lru < 1 ? undefined : (100 * (own - lru)) / (belady - lru)
}

/** The table of all cells, and what they come to. */
export function sectionsOf(cells: readonly Cell[]): readonly Section[] {
  return [
    {
      title: 'Hit ratio, in percent',
      head: ['trace', 'entries', ...names, ...rivals.map((name) => `gap closed by ${name}`)],
      rows: cells.map((cell) => [
        cell.trace,
        cell.size.toLocaleString('en'),
        ...names.map((name) => cell.ratios[name].toFixed(2)),
        ...rivals.map((name) => closedBy(name, cell)?.toFixed(0) ?? ''),
      ]),
      note: 'The gap is what Belady has more than LRU; none is counted where it is less than a point.',
    },
    {
      title: 'In all',
      head: ['policy', 'gap closed, mean', 'worst against LRU', 'there'],
      rows: rivals.map((name) => {
        const closed = cells.map((cell) => closedBy(name, cell)).filter((one) => one !== undefined)
        const [worst] = cells.toSorted((a, b) => lead(name, a) - lead(name, b))
        const mean = closed.reduce((sum, one) => sum + one, 0) / closed.length
        return [
          name,
          closed.length === 0 ? 'no gap' : `${mean.toFixed(1)} %`,
          worst === undefined ? '' : `${lead(name, worst).toFixed(2)} points`,
          worst === undefined ? '' : `${worst.trace}, ${worst.size.toLocaleString('en')}`,
        ]
      }),
    },
  ]
}

const lead = (name: PolicyName, { ratios }: Cell): number => ratios[name] - ratios.lru
