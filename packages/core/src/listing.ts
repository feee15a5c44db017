import { checkText } from './checks.js'
import type { Engine } from './engine.js'
import { CacheError } from './errors.js'
import { matchGlob } from './glob.js'
import { findMany } from './loading-many.js'
import type { Scope } from './scope.js'
import { messageOf } from './store-guard.js'
import type { Keys } from './store.js'

/** What lists the store's keys; a store that cannot is `ERR_UNSUPPORTED`. */
export function keysOf(engine: Engine, call: string): Keys {
  const { keys } = engine.store
  if (keys !== undefined) return keys
  throw new CacheError('ERR_UNSUPPORTED', `${call} needs a store with the group 'keys'`)
}

/** Whether a store's key is one of the scope's own and matches. */
export function matcher(scope: Scope, glob: string): (storeKey: string) => boolean {
  checkText(glob, 'a pattern')
  return (storeKey) => {
    const key = scope.keyOut(storeKey)
    return key !== undefined && matchGlob(glob, key)
  }
}

/** The scope's keys as the store lists them; some of them may not match. A store that fails is `ERR_STORE`. */
export async function* listed(keys: Keys, scope: Scope, glob: string): AsyncGenerator<readonly string[]> {
  try {
    // The root's own keys may be escaped in the store, so only a plain beginning can be left to the store to match.
    yield* keys.scan(scope.prefix, scope.prefix !== '' || /^[^@*?[\\]/.test(glob) ? glob : undefined)
  } catch (cause) {
    if (cause instanceof CacheError) throw cause
    throw new CacheError('ERR_STORE', `the store failed to list its keys: ${messageOf(cause)}`, { cause })
  }
}

/** The keys that match and have a fresh entry. */
export async function* list(engine: Engine, scope: Scope, glob: string): AsyncGenerator<string, void> {
  const matches = matcher(scope, glob)
  engine.assertOpen()
  for await (const some of listed(keysOf(engine, 'keys'), scope, glob)) {
    const wanted = some.filter(matches).map((storeKey) => scope.target(scope.keyOut(storeKey)!, scope.plan))
    // A store lists entries whose tags were invalidated, too.
    const found = wanted.length === 0 ? [] : await findMany(engine, wanted)
    for (let i = 0; i < wanted.length; i++) if (found[i]?.state === 'fresh') yield wanted[i]!.key
  }
}
