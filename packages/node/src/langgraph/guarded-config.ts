import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import { UndeclaredReadError } from '../errors.js'

/** What LangGraph itself keeps and reads among the configurable values, the thread included. */
const internal = /^(__pregel_|checkpoint_|lg_|langgraph_|thread_id$)/

/**
 * A config that lets a node read what its key knows of. What is not declared is there, and reading it is an
 * `ERR_UNDECLARED_READ`; whoever copies the object does not copy it.
 */
export function guardedConfig(
  config: LangGraphRunnableConfig,
  name: string,
  reads: readonly string[],
): LangGraphRunnableConfig {
  const guard = (values: Record<string, unknown>): Record<string, unknown> => {
    const seen: Record<string, unknown> = {}
    for (const [each, value] of Object.entries(values)) {
      if (internal.test(each) || reads.includes(each)) seen[each] = value
      else {
        Object.defineProperty(seen, each, {
          get: () => {
            throw new UndeclaredReadError(name, each)
          },
        })
      }
    }
    return seen
  }
  return {
    ...config,
    ...(config.configurable && { configurable: guard(config.configurable) }),
    ...(config.context && { context: guard(config.context) }),
  }
}

/** The declared values of a config, for the key. */
export function readsOf(config: LangGraphRunnableConfig, reads: readonly string[]): Record<string, unknown> {
  const of = (values: Record<string, unknown> | undefined): Record<string, unknown> =>
    Object.fromEntries(
      reads.filter((name) => values?.[name] !== undefined).map((name) => [name, values![name]]),
    )
  return { configurable: of(config.configurable), context: of(config.context) }
}

/** Whether the node runs again with what somebody answered to its interrupt: that is in no key. */
export function isResumed(config: LangGraphRunnableConfig): boolean {
  const { __pregel_scratchpad: pad } = (config.configurable ?? {}) as {
    __pregel_scratchpad?: { readonly resume?: readonly unknown[]; readonly nullResume?: unknown }
  }
  return (pad?.resume?.length ?? 0) > 0 || pad?.nullResume !== undefined
}
