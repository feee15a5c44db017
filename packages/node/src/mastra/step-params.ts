/** What Mastra keeps for one request, by name. */
export interface RequestContext {
  get(name: string): unknown
}

/** What Mastra gives a step, as far as the cache looks at it. */
export interface StepParams {
  readonly inputData?: unknown
  readonly state?: unknown
  readonly resumeData?: unknown
  readonly resourceId?: string
  readonly workflowId?: string
  readonly requestContext?: RequestContext
  readonly runtimeContext?: RequestContext
  readonly abortSignal?: AbortSignal
  readonly writer?: { write(chunk: unknown): Promise<void>; custom?(chunk: unknown): Promise<void> }
  setState?(state: unknown): unknown
  suspend?(...args: unknown[]): unknown
  bail?(...args: unknown[]): unknown
  abort?(...args: unknown[]): unknown
}
