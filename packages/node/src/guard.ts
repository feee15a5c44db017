import { cloneOf } from '@flow-cache/core'
import { NodeCacheError, UndeclaredReadError } from './errors.js'
import type { Variables } from './variables.js'

/** One write of a variable: a name and a value, or a name alone where it was deleted. */
export type Effect = readonly [name: string, value: unknown] | readonly [name: string]

/** What {@link guard} stands between. */
export interface Guarding {
  readonly nodeId: string
  readonly reads: readonly string[]
  /** What the key has of them. Absent: no key was made, and they are as they are. */
  readonly seen: Readonly<Record<string, unknown>> | undefined
  readonly undeclared: 'error' | 'warn' | 'allow'
  readonly effects: 'record' | 'forbid'
  /** Told of undeclared reads where they are let through. */
  readonly warn: (variable: string) => void
}

/**
 * Variables that let a node read what its key knows of, and write down what it writes. Nothing is written through:
 * the run may be shared by several workflows, and each of them has the effects replayed. What the node wrote itself
 * it may read.
 */
export function guard(variables: Variables, guarding: Guarding): { variables: Variables; effects: Effect[] } {
  const { nodeId, reads, seen, undeclared, warn } = guarding
  const effects: Effect[] = []
  const written = new Map<string, { readonly value: unknown } | undefined>()
  const declared = new Set(reads)
  const check = (name: string): void => {
    if (declared.has(name) || undeclared === 'allow') return
    if (undeclared === 'error') throw new UndeclaredReadError(nodeId, name)
    warn(name)
  }
  const write = (name: string, effect: Effect): void => {
    if (guarding.effects === 'forbid')
      throw new NodeCacheError('ERR_EFFECT', `node '${nodeId}' may not write the variable '${name}'`)
    effects.push(effect)
    written.set(name, effect.length === 2 ? { value: effect[1] } : undefined)
  }
  const guarded: Variables = {
    get<V>(name: string) {
      if (written.has(name)) return written.get(name)?.value as V | undefined
      check(name)
      // As it was when the key was made, whatever others have written since.
      return seen !== undefined && declared.has(name) ? (seen[name] as V | undefined) : variables.get<V>(name)
    },
    has(name) {
      if (written.has(name)) return written.get(name) !== undefined
      check(name)
      return variables.has(name)
    },
    set: (name, value) => write(name, [name, value]),
    delete(name) {
      const was = guarded.has(name)
      write(name, [name])
      return was
    },
    names() {
      if (undeclared === 'error' || undeclared === 'warn') {
        const seen = variables.names().filter((name) => declared.has(name) && !written.has(name))
        const mine = [...written.keys()].filter((name) => written.get(name) !== undefined)
        return [...seen, ...mine]
      }
      return variables.names()
    },
  }
  return { variables: guarded, effects }
}

/** Does to the variables what a node once did. */
export function replay(effects: readonly Effect[], variables: Variables): void {
  for (const effect of effects) {
    if (effect.length === 2) variables.set(effect[0], copyOf(effect[1]))
    else variables.delete(effect[0])
  }
}

/** A copy of the caller's own. What cannot be copied was never stored, and is shared by those who ran together. */
export function copyOf<V>(value: V): V {
  try {
    return cloneOf(value)
  } catch {
    return value
  }
}
