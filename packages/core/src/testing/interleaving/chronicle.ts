/** A value, with when it began to be made, counted in steps of the run. */
export interface Made {
  readonly key: string
  readonly kind: 'load' | 'set'
  readonly tags: readonly string[]
  /** The process. */
  readonly by: number
  readonly begun: number
  /** When the `set` resolved; `Infinity` before, and for a load. */
  acknowledged: number
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
  readonly begun: number
  readonly acknowledged: number
}

/** What was made and changed in a run, and what was seen of it that may not be. */
export class Chronicle {
  readonly violations: string[] = []
  readonly #processes: number
  readonly #changes: Changed[] = []
  #time = 0

  constructor(processes: number) {
    this.#processes = processes
  }

  /** The next step. */
  now(): number {
    return ++this.#time
  }

  changed(change: Omit<Changed, 'acknowledged'>): void {
    const acknowledged = this.now()
    this.#changes.push({ ...change, acknowledged })
    if (change.value !== undefined) change.value.acknowledged = acknowledged
  }

  /** A read that began then was answered with the value. */
  saw(key: string, began: number, value: Made | undefined, how: 'get' | 'getOrSet'): void {
    if (value === undefined) return
    if (value.key !== key) this.violations.push(`${how}(${key}) gave a value of ${value.key}`)
    for (const change of this.#changes) {
      if (change.acknowledged > began || !change.covers(value) || change.value === value) continue
      if ((change.softly && how !== 'get') || !this.#isOlder(value, change)) continue
      this.violations.push(
        `${how}(${key}) at ${began} gave the ${value.kind} of ${value.begun}, before the ${change.kind} of ${change.begun} to ${change.acknowledged}`,
      )
    }
  }

  #isOlder(value: Made, change: Changed): boolean {
    if (value.kind === 'set') return value.acknowledged < change.begun
    // Another process is told in its own time, and what it begins to load meanwhile may be new. Tags end what is older
    // than the call; of other processes' keys, a pattern takes those that are there when it is called.
    const isNear =
      change.by === value.by &&
      change.kind !== 'invalidate' &&
      (change.kind !== 'pattern' || this.#processes === 1)
    return value.begun < (isNear ? change.acknowledged : change.begun)
  }
}
