import { UndeclaredReadError } from '../errors.js'
import type { RequestContext, StepParams } from './step-params.js'

/** What a step did beside answering: done again on a hit. */
export type StepEffect = readonly ['state', unknown]

/** A step that was suspended, bailed out or aborted: its workflow's business alone, and never stored. */
export class Stopped extends Error {
  readonly output: unknown

  constructor(output: unknown) {
    super('the step stopped its workflow')
    this.output = output
  }
}

/** What a step that may be shared is run with. */
export interface Guarding {
  readonly name: string
  readonly reads: readonly string[]
  /** Whether the caller made the key itself, and answers for other steps' results in it. */
  readonly ownKey: boolean
  readonly signal: AbortSignal
  readonly emit: (chunk: unknown) => void
}

/** Parameters that let a step read what its key knows of, and write down what it does to its workflow. */
export function guardedParams(
  params: StepParams,
  { name, reads, ownKey, signal, emit }: Guarding,
): { readonly params: StepParams; readonly effects: StepEffect[]; stopped(): boolean } {
  const effects: StepEffect[] = []
  let stopped = false
  const stops = (method: 'suspend' | 'bail' | 'abort') => ({
    [method]: (...args: unknown[]): unknown => {
      stopped = true
      return params[method]?.(...args)
    },
  })
  const refused = (what: string) => ({
    [what]: (...args: unknown[]): unknown => {
      if (!ownKey) throw new UndeclaredReadError(name, what)
      return (params as Record<string, (...args: unknown[]) => unknown>)[what]?.(...args)
    },
  })
  const contexts = Object.fromEntries(
    (['requestContext', 'runtimeContext'] as const)
      .filter((each) => params[each] !== undefined)
      .map((each) => [each, guardedContext(params[each]!, name, reads)]),
  )
  const guarded: StepParams = {
    ...params,
    ...contexts,
    ...stops('suspend'),
    ...stops('bail'),
    ...stops('abort'),
    ...refused('getStepResult'),
    ...refused('getInitData'),
    setState: (state: unknown) => {
      effects.push(['state', state])
    },
    ...(params.writer !== undefined && {
      writer: {
        write: async (chunk: unknown) => emit(['write', chunk]),
        custom: async (chunk: unknown) => emit(['custom', chunk]),
      },
    }),
    abortSignal: signal,
  }
  return { params: guarded, effects, stopped: () => stopped }
}

/** A context of which a step may read what is declared, and nothing as a whole. */
function guardedContext(context: RequestContext, name: string, reads: readonly string[]): RequestContext {
  return new Proxy(context, {
    get: (target, method) => {
      if (method !== 'get' && method !== 'has') {
        if (typeof method === 'string') throw new UndeclaredReadError(name, `context.${method}`)
        return undefined
      }
      return (key: string): unknown => {
        if (!reads.includes(key)) throw new UndeclaredReadError(name, key)
        return method === 'get' ? target.get(key) : target.get(key) !== undefined
      }
    },
  })
}

/** The declared values, for the key. */
export function readsOf(params: StepParams, reads: readonly string[]): Record<string, unknown> {
  const context = params.requestContext ?? params.runtimeContext
  return Object.fromEntries(reads.map((name) => [name, context?.get(name)]))
}
