/** Every code of a {@link NodeCacheError}, and what it means. */
export const nodeErrorCodes = {
  ERR_UNDECLARED_READ:
    'A cached node read a workflow variable that is not in its `reads`, or could not be seen.',
  ERR_EFFECT: "A cached node with `effects: 'forbid'` wrote a variable.",
  ERR_STREAM: 'A cached node answered with a stream that cannot be recorded.',
  ERR_WORKFLOW:
    'A workflow was built or resumed wrong: a node that is missing, twice there or never reached.',
  ERR_BACKEND: 'No backend of that type is installed or registered; the message says what to install.',
  ERR_CACHE_MISS: "A call with `mode: 'only-if-cached'` found nothing it could use.",
  ERR_RESULT:
    'A node answered with something that is no result, or with other than one output for each item.',
} as const

/** The stable name of a failure. */
export type NodeErrorCode = keyof typeof nodeErrorCodes

/** A failure of what this package does around nodes. A node's own error is never wrapped in one. */
export class NodeCacheError extends Error {
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }

  override get name(): string {
    return 'NodeCacheError'
  }
}

/** A cached node read a workflow variable that its key does not know of. The code is `ERR_UNDECLARED_READ`. */
export class UndeclaredReadError extends NodeCacheError {
  /** The variable. */
  readonly variable: string

  constructor(nodeId: string, variable: string) {
    super(
      'ERR_UNDECLARED_READ',
      `node '${nodeId}' reads the variable '${variable}', which is not in its key: add it to reads`,
    )
    this.variable = variable
  }

  override get name(): string {
    return 'UndeclaredReadError'
  }
}
