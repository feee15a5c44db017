/** Tokens of one answer. */
export interface Usage {
  readonly input: number
  readonly output: number
}

/** What the server does with one request. */
export interface Scripted {
  /** The words it says. Default: `answer <n>`, with the number of the request. */
  readonly text?: string | undefined
  /** The chunks a stream is cut into. Default: one for each word. */
  readonly chunks?: readonly string[] | undefined
  /** Calls of tools instead of words. */
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly args: unknown }[]
  /** An HTTP error instead of an answer. */
  readonly error?: { readonly status: number; readonly message: string } | undefined
  /** Default: `stop`, or `tool_calls` where there are some. `null`: the stream ends without one. */
  readonly finish?: string | null | undefined
  /** Ends the connection after so many chunks of a stream, or in the middle of a JSON body. */
  readonly cutAfter?: number | undefined
  /** Sends an error in the stream after so many chunks. */
  readonly errorAfter?: number | undefined
  /** Waits for it before anything is answered. */
  readonly before?: Promise<unknown> | undefined
  /** Waits for it before each chunk of a stream; gets the chunk's number. */
  readonly beforeChunk?: ((index: number) => Promise<unknown> | undefined) | undefined
  /** Milliseconds between the chunks of a stream. Default: `0`. */
  readonly delayMs?: number | undefined
  readonly usage?: Usage | undefined
}

/** What comes next: of each request, or one that is the same for all. */
export type Script = Scripted | ((body: Record<string, unknown>, index: number) => Scripted)

export const textOf = (scripted: Scripted, index: number): string =>
  scripted.text ?? scripted.chunks?.join('') ?? `answer ${index}`

export const chunksOf = (scripted: Scripted, index: number): readonly string[] =>
  scripted.chunks ?? textOf(scripted, index).split(/(?<= )/u)

export const finishOf = ({ finish, toolCalls }: Scripted): string | null =>
  finish === undefined ? (toolCalls === undefined ? 'stop' : 'tool_calls') : finish

/** As the server words it. */
export const usageOf = ({ usage }: Scripted): Record<string, number> => {
  const { input, output } = usage ?? { input: 10, output: 3 }
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
