import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

/** One line of a file that survives its writer: an operation that was accepted, or that the origin has done. */
interface Line {
  readonly key: string
  readonly sequence: number
  /** `'deleted'`, or what was put: the key again, so that it shows where another key's value came. */
  readonly value: string
}

/** What was accepted and what was done, as files say that were written before anybody was told. */
export interface WrittenHistory {
  readonly accepted: readonly Line[]
  readonly applied: readonly Line[]
}

const linesOf = (file: string): Line[] => {
  const lines: Line[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [key, sequence, value, end] = line.split(' ')
    // What a kill cut off is no line.
    if (end === '.') lines.push({ key: key!, sequence: Number(sequence), value: value! })
  }
  return lines
}

export const readHistory = (accepted: string, applied: string): WrittenHistory => ({
  accepted: linesOf(accepted),
  applied: linesOf(applied),
})

/** Applied sequences of a key only grow, whatever died in between; one operation may be applied twice. */
export function expectOrder({ applied }: WrittenHistory): void {
  const last = new Map<string, number>()
  for (const { key, sequence } of applied) {
    expect(sequence).toBeGreaterThanOrEqual(last.get(key) ?? 0)
    last.set(key, sequence)
  }
}

/** Once nothing is pending: what the origin has of every key is the last operation that was accepted, or a later one. */
export function expectNothingLost({ accepted, applied }: WrittenHistory): void {
  const origin = new Map(applied.map((line) => [line.key, line]))
  const wanted = new Map<string, Line>()
  for (const line of accepted) {
    if (line.sequence > (wanted.get(line.key)?.sequence ?? 0)) wanted.set(line.key, line)
  }
  expect(wanted.size).toBeGreaterThan(0)
  for (const [key, { sequence, value }] of wanted) {
    const has = origin.get(key)
    expect(has?.sequence ?? 0).toBeGreaterThanOrEqual(sequence)
    if (has!.sequence === sequence) expect(has!.value).toBe(value)
  }
}
