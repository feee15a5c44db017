import { keyOf, type KeyOptions } from '@flow-cache/core'
import type { ScopeOrGlobal } from './scope.js'

/** Everything a key is made of. */
export interface KeyParts {
  /** The workflow's id: two workflows may have a node of one name. Absent for what is of none. */
  readonly workflow?: string | undefined
  readonly node: string
  readonly type: string | undefined
  readonly version: string
  readonly config: unknown
  readonly scope: ScopeOrGlobal
  readonly input: unknown
  readonly reads: Readonly<Record<string, unknown>>
}

/** How keys are made. */
export interface NodeKeyOptions extends KeyOptions {
  /** Without it nobody can tell from a key what was asked, not even by trying likely inputs. Default: none. */
  readonly keySecret?: string | undefined
}

/** The key in the cache: the node's id to be recognised by, and a digest of everything. */
export function keyFor(parts: KeyParts, options: NodeKeyOptions, namespace?: string): string {
  const { keySecret, ...rest } = options
  const digest = keyOf(parts, rest)
  const secret = keySecret === undefined ? digest : keyOf(['flow-cache/node/secret', keySecret, digest])
  return `${namespace === undefined ? '' : `${namespace}:`}${parts.node}:${secret}`
}

/** A digest for each part, to tell what changed between two keys. */
export type Digests = Readonly<
  Record<'workflow' | 'version' | 'config' | 'scope' | 'reads' | 'inputs', string>
>

export function digestsOf(parts: KeyParts, { keySecret, ...options }: NodeKeyOptions): Digests {
  const digest = (value: unknown): string => keyOf([keySecret, value], options)
  return {
    workflow: digest(parts.workflow),
    version: digest([parts.type, parts.version]),
    config: digest(parts.config),
    scope: digest(parts.scope),
    reads: digest(parts.reads),
    inputs: digest(parts.input),
  }
}

/** The first part in which two keys differ, or `expired` where none does: it ended, or was removed. */
export function difference(before: Digests | undefined, now: Digests): string {
  if (before === undefined) return 'cold'
  for (const name of Object.keys(now) as (keyof Digests)[]) if (before[name] !== now[name]) return name
  return 'expired'
}
