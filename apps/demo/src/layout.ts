import { styleText } from 'node:util'

/** How text may look where it is going. */
export interface Look {
  readonly color: boolean
  /** Nothing but ASCII around the quoted text. */
  readonly ascii: boolean
  /** Columns to wrap at. */
  readonly width: number
}

/** Colours that mean the same everywhere in the output. */
export type Tone = 'title' | 'quiet' | 'good' | 'number'

const formats: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  title: 'bold',
  quiet: 'dim',
  good: 'green',
  number: 'cyan',
}

/** The text in its tone, or as it is where colour is not wanted. */
export function tone(look: Look, name: Tone, text: string): string {
  // Whether colour is wanted was decided before; styleText would look at the stream again.
  return look.color ? styleText(formats[name], text, { validateStream: false }) : text
}

/** Breaks text at spaces. The first line begins with `first`, every other with `rest`. */
export function wrap(text: string, width: number, first: string = '', rest: string = first): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const indent = lines.length === 0 ? first : rest
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, (lines.length === 0 ? first : rest) + line].join('\n')
}

/** A duration as people say it: `0.03 ms`, `12 ms`, `1.24 s`. */
export function duration(ms: number): string {
  const size = Math.abs(ms)
  if (size >= 7_200_000) return `${(ms / 3_600_000).toFixed(0)} h`
  if (size >= 120_000) return `${(ms / 60_000).toFixed(0)} min`
  if (size >= 1000) return `${(ms / 1000).toFixed(2)} s`
  if (size >= 10) return `${ms.toFixed(0)} ms`
  return size >= 0.1 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(2)} ms`
}

/** One column: its cells are padded on the left (`right`) or on the right (`left`). */
export type Align = 'left' | 'right'

/** `1 file`, `2 files`, `1,234 files`. */
export function count(number: number, thing: string): string {
  return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`
}

/** Lines of a table, columns two spaces apart. Colour a line afterwards: padding counts characters. */
export function table(rows: readonly (readonly string[])[], align: readonly Align[]): string[] {
  const widths = align.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        align[column] === 'right' ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
}
