/** What the nodes of a run tell each other beside their outputs. */
export interface Variables {
  get<V = unknown>(name: string): V | undefined
  has(name: string): boolean
  set(name: string, value: unknown): void
  delete(name: string): boolean
  /** All names, in the order they were first set. */
  names(): readonly string[]
}

/** Variables that begin as given. The object is not written to. */
export function createVariables(initial: Readonly<Record<string, unknown>> = {}): Variables {
  const values = new Map(Object.entries(initial))
  return {
    get: <V>(name: string) => values.get(name) as V | undefined,
    has: (name) => values.has(name),
    set: (name, value) => void values.set(name, value),
    delete: (name) => values.delete(name),
    names: () => [...values.keys()],
  }
}

/** All variables, as an object. */
export function snapshotOf(variables: Variables): Record<string, unknown> {
  return Object.fromEntries(variables.names().map((name) => [name, variables.get(name)]))
}
