import type { Store } from '../../store.js'
import { batchCases } from './batch-cases.js'
import { keysCases } from './keys-cases.js'
import { leasesCases } from './leases-cases.js'
import { localCases } from './local-cases.js'
import { logCases } from './log-cases.js'
import { requiredCases } from './required-cases.js'
import { ConformanceError, type StoreCase, told } from './store-case.js'
import { tagsCases } from './tags-cases.js'

/**
 * The store contract as cases without a test runner: a new store's test file runs each of them on a store of its
 * own. Those that need a group are in the list only for stores that have it; see {@link casesFor}.
 */
export const storeCases: readonly StoreCase[] = [
  ...requiredCases,
  ...localCases,
  ...batchCases,
  ...keysCases,
  ...tagsCases,
  ...leasesCases,
  ...logCases,
].map(told)

/**
 * The cases that apply to a store with these groups. `excused` leaves out cases by name, each with a reason; an
 * excuse for a case that does not exist is an error.
 */
export function casesFor(store: Store, excused: Readonly<Record<string, string>> = {}): readonly StoreCase[] {
  for (const name of Object.keys(excused)) {
    if (!storeCases.some((one) => one.name === name))
      throw new ConformanceError(`there is no case named '${name}'`)
  }
  return storeCases.filter(
    ({ name, group, unless }) =>
      !Object.hasOwn(excused, name) &&
      (group === undefined || store[group] !== undefined) &&
      (unless === undefined || store[unless] === undefined),
  )
}
