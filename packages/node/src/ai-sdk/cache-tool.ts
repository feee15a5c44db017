import { checkFunction, checkFunctions, checkObject, checkText } from '../checks.js'
import { cacheFn, type CacheFnOptions } from '../cache-fn.js'
import { versionFor } from '../version.js'

/** Options of {@link cacheTool}. */
export interface CacheToolOptions<I, O> extends Omit<
  CacheFnOptions<[input: I, options: unknown], O>,
  'key' | 'name'
> {
  /** Names the tool in keys. */
  readonly name: string
  /** What of the input makes the key. Default: all of it. */
  readonly key?: ((input: I) => unknown) | undefined
}

/**
 * The same tool, whose `execute` remembers. The key is the tool's name and input alone: ids of calls, messages and
 * signals have no part in it. For tools that look things up; one that does something runs each time, so leave it as it is.
 */
export function cacheTool<T extends object>(tool: T, options: CacheToolOptions<InputOf<T>, unknown>): T {
  checkObject(tool, 'tool')
  const { execute } = tool as { execute?: (input: InputOf<T>, options: unknown) => unknown }
  checkFunction(execute, "the tool's execute")
  checkText(options.name, 'name')
  checkFunctions(options, ['key'])
  const { key } = options
  const cached = cacheFn(async (input: InputOf<T>, call: unknown) => execute?.call(tool, input, call), {
    ...options,
    version: versionFor(execute!, options.version),
    key: (input) => (key === undefined ? [input] : key(input)),
  })
  return {
    ...tool,
    execute: async (input: InputOf<T>, call: { abortSignal?: AbortSignal } | undefined) =>
      (
        await cached.ask(
          { ...(call?.abortSignal !== undefined && { signal: call.abortSignal }) },
          input,
          call,
        )
      ).value,
  }
}

/** What a tool is called with. */
// oxlint-disable-next-line typescript/no-explicit-any -- only a type parameter's bound
type InputOf<T> = T extends { execute?: (input: infer I, ...rest: any[]) => unknown } ? I : unknown
