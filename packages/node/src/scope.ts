import { wrong } from './checks.js'
import { ignored } from './ignored.js'

/** Whom an answer belongs to: a tenant, a user. Part of every key. */
export type Scope = Readonly<Record<string, string | number | boolean>>

/** A scope, or `'global'` for answers that everybody may share. */
export type ScopeOrGlobal = Scope | 'global'

/**
 * Refuses scopes that would let strangers share: none, an empty one, or one with a part that is missing. A tenant
 * that is `undefined` would be the same tenant for everybody who has none.
 */
export function checkScope(scope: unknown): ScopeOrGlobal {
  if (scope === 'global') return scope
  if (typeof scope !== 'object' || scope === null || Array.isArray(scope))
    wrong('scope', "'global' or an object such as { tenant }", scope)
  if (scope instanceof Promise) {
    ignored(scope)
    throw new TypeError(
      'scope is a promise; a scope function must answer at once, from what the call brings along',
    )
  }
  const parts = Object.entries(scope)
  if (parts.length === 0)
    throw new TypeError("scope is empty; write 'global' if everybody may share the answer")
  for (const [name, part] of parts) {
    if (part === '' || !['string', 'number', 'boolean'].includes(typeof part))
      wrong(`scope.${name}`, 'a non-empty string, a number or a boolean', part)
  }
  // A copy: whoever changes the caller's object later changes no key, and nothing of a run.
  return Object.freeze({ ...(scope as Scope) })
}
