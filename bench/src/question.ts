import type { ContestantName } from './contestants.js'
import type { Section } from './report.js'

export interface Asked {
  /** How many times every contestant is measured. */
  readonly rounds: number
  /** Who takes part. */
  readonly takesPart: (name: string) => boolean
}

/** What one contestant's measurement gave, by name. */
export type Figures = Readonly<Record<string, number>>

/** What one round gave: every contestant's figures. */
export type Round = Readonly<Record<string, Figures>>

/** One thing that somebody wants to know, of contestants with these names. */
export interface Question<Name extends string = ContestantName> {
  /** What is asked, and how it is measured. Markdown. */
  readonly text: string
  /** Asks all contestants. */
  ask(asked: Asked): Promise<readonly Section[]>
  /** Measures in this process. Present if `ask` has processes of their own measure. */
  measure?(names: readonly Name[], parameters: never): Promise<Round>
}
