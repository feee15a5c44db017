/** Questions that can travel together: one command for all of them, and an answer for each. */
export interface Kind<Question, Raw, Answer> {
  send(questions: readonly Question[]): Promise<readonly Raw[]>
  /** What an answer means. What it throws is told to the one who asked. */
  read(question: Question, raw: Raw): Answer
}

interface Asked {
  readonly question: unknown
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
}

interface Group {
  readonly kind: Kind<unknown, unknown, unknown>
  readonly asked: Asked[]
}

/**
 * Gathers what is asked in one turn of the event loop, so that neighbours of one kind travel as one command: most of
 * what a command costs is the command. What is asked first is sent first, whatever its kind.
 */
export class Turn {
  readonly #most: number
  #groups: Group[] = []

  /** `most`: how many questions travel together at most. */
  constructor(most: number) {
    this.#most = most
  }

  ask<Question, Raw, Answer>(kind: Kind<Question, Raw, Answer>, question: Question): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      let group = this.#groups.at(-1)
      // After the turn's own promises, before the event loop goes on.
      if (group === undefined) process.nextTick(this.flush)
      if (group === undefined || group.kind !== kind || group.asked.length === this.#most) {
        group = { kind, asked: [] }
        this.#groups.push(group)
      }
      group.asked.push({ question, resolve, reject })
    })
  }

  /** Sends what was asked so far. For what is sent on other ways, so that it comes after. */
  readonly flush = (): void => {
    if (this.#groups.length === 0) return
    const groups = this.#groups
    this.#groups = []
    for (const group of groups) void send(group)
  }
}

async function send({ kind, asked }: Group): Promise<void> {
  let answers: readonly unknown[]
  try {
    answers = await kind.send(asked.map(({ question }) => question))
  } catch (error) {
    for (const { reject } of asked) reject(error)
    return
  }
  for (let i = 0; i < asked.length; i++) {
    const { question, resolve, reject } = asked[i]!
    try {
      resolve(kind.read(question, answers[i]) as never)
    } catch (error) {
      reject(error)
    }
  }
}
