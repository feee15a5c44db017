/** When something happened: a number of its own, and the step of the run in which it did. */
export interface Moment {
  readonly at: number
  readonly step: number
}

/** A value, with when it began to be made. */
export interface Made {
  readonly key: string
  readonly kind: 'load' | 'set'
  readonly tags: readonly string[]
  /** The process. */
  readonly by: number
  readonly begun: Moment
  /** When the `set` resolved; nothing before, and for a load. */
  acknowledged?: Moment
}

/** A change of keys, once it was acknowledged. */
export interface Changed {
  readonly kind: string
  readonly covers: (value: Made) => boolean
  /** What is older may still be seen where nothing new can be had. */
  readonly softly: boolean
  /** What it put there. */
  readonly value?: Made
  readonly by: number
  readonly begun: Moment
  readonly acknowledged: Moment
}

/** What was made and changed in a run, and what was seen of it that may not be. */
export class Chronicle {
  readonly violations: string[] = []
  readonly #processes: number
  readonly #changes: Changed[] = []
  readonly #step: () => number
  #at = 0

  constructor(processes: number, step: () => number) {
    this.#processes = processes
    this.#step = step
  }

  now(): Moment {
    return { at: ++this.#at, step: this.#step() }
  }

  changed(change: Omit<Changed, 'acknowledged'>): void {
    const acknowledged = this.now()
    this.#changes.push({ ...change, acknowledged })
    if (change.value !== undefined) change.value.acknowledged = acknowledged
  }

  /** A read that began then was answered with the value. */
  saw(key: string, began: Moment, value: Made | undefined, how: 'get' | 'getOrSet'): void {
    if (value === undefined) return
    if (value.key !== key) this.violations.push(`${how}(${key}) gave a value of ${value.key}`)
    for (const change of this.#changes) {
      if (change.acknowledged.at > began.at || !change.covers(value) || change.value === value) continue
      if ((change.softly && how !== 'get') || !this.#isOlder(value, change)) continue
      this.violations.push(
        `${how}(${key}) at ${began.at} gave the ${value.kind} of ${value.begun.at}, before the ${change.kind} of ${change.begun.at} to ${change.acknowledged.at}`,
      )
    }
  }

  #isOlder(value: Made, change: Changed): boolean {
    const { begun, acknowledged } = change
    if (value.kind === 'set') return value.acknowledged !== undefined && value.acknowledged.at < begun.at
    // Another process is told in its own time, and what it begins to load meanwhile may be new. Tags end what is older
    // than the call; of other processes' keys, a pattern takes those that are there when it is called.
    const isNear =
      change.by === value.by &&
      change.kind !== 'invalidate' &&
      (change.kind !== 'pattern' || this.#processes === 1)
    // Whoever changed it hears of it some promises later, but in the same step.
    return isNear ? value.begun.step < acknowledged.step : value.begun.at < begun.at
  }
}
