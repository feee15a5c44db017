import type { Summary } from './statistics.js'

/** A part of an answer: a table, and what is to be said about it. */
export interface Section {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly note?: string
}

/** A promise about a figure, and whether it is kept. */
export interface Target {
  readonly what: string
  readonly limit: number
  readonly measured: number
  readonly unit: string
  /** Whether it has to be as much as the limit, in place of no more. */
  readonly atLeast?: boolean
}

export function targets(list: readonly Target[]): Section {
  return {
    title: 'Targets',
    head: ['target', 'limit', 'measured', 'met'],
    rows: list.map(({ what, limit, measured, unit, atLeast = false }) => [
      what,
      `${atLeast ? '≥ ' : ''}${limit}${unit}`,
      `${number(measured)}${unit}`,
      (atLeast ? measured >= limit : measured <= limit) ? 'yes' : '**no**',
    ]),
  }
}

/** What the columns of {@link times} and {@link nanos} mean. */
export function legend(rounds: number): string {
  return `Ratios: the median of ${rounds} rounds, in brackets the least and the greatest. Times: the least of them.`
}

/** Three digits that matter. */
export function number(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toFixed(digits)
}

/** `1.20×`, and how far the rounds lie apart. */
export function times({ median, min, max }: Summary): string {
  return min === max ? `${number(median)}×` : `${number(median)}× (${number(min)}–${number(max)})`
}

/** The least time of all rounds: what it takes when nothing else is in the way. */
export function nanos({ min }: Summary): string {
  return min >= 10_000 ? `${number(min / 1000)} µs` : `${min.toFixed(0)} ns`
}

export function markdown(sections: readonly Section[]): string {
  return sections
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, head, rows, note }) => {
      const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)))
      const line = (cells: readonly string[]): string =>
        `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`
      const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
      const table = [line(head), rule, ...rows.map(line)].join('\n')
      return `### ${title}\n\n${table}\n${note === undefined ? '' : `\n${note}\n`}`
    })
    .join('\n')
}
