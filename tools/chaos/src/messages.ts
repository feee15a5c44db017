import type { Sighting } from './sightings.js'

/** Which keys there are, and how each is changed. */
export const keys: readonly string[] = Array.from({ length: 100 }, (_, i) => `key-${i}`)

/** Keys whose truth changes without a word to the cache: only their ttl bounds how old they may be. */
export const silentKeys: readonly string[] = ['silent-0', 'silent-1', 'silent-2']

/** How long entries of silent keys are fresh, in milliseconds. */
export const silentTtl = 1_000

/** Every so often, in milliseconds, all processes change and load a few keys at once, and then leave them alone. */
export const period = 1_500

/** How many those are. */
export const wanted = 3

/** The part of a period that is a scramble. Afterwards what went wrong stays to be seen. */
export const scramble = 0.15

/** The tags of a key: one, or none for every other key, so that news of tags don't make up for those of keys. */
export function tagsOf(key: string): readonly string[] {
  const number = Number(/\d+/.exec(key)![0])
  return number % 2 === 0 ? [`tag-${number % 20}`] : []
}

/** What a worker is started with. */
export interface Assignment {
  readonly url: string
  readonly prefix: string
  readonly process: number
  readonly seed: number
  /** How far its clock is ahead, in milliseconds. */
  readonly offset: number
  /** How many operations it has under way. */
  readonly concurrency: number
}

/** From a worker: it asks for the truth, changes it, says how a change went, what it read, and when it did not get to run. */
export type Request =
  | { readonly kind: 'ready' }
  | { readonly kind: 'read'; readonly id: number; readonly key: string }
  | { readonly kind: 'write'; readonly id: number; readonly keys: readonly string[] }
  | {
      readonly kind: 'wrote'
      readonly values: readonly string[]
      readonly end: number
      readonly acknowledged: boolean
    }
  | { readonly kind: 'reads'; readonly reads: readonly Sighting[]; readonly loads: number }
  | { readonly kind: 'lag'; readonly begin: number; readonly end: number }
  | { readonly kind: 'done' }

/** To a worker. */
export type Reply =
  | { readonly kind: 'start'; readonly assignment: Assignment }
  | { readonly kind: 'values'; readonly id: number; readonly values: readonly string[] }
  | { readonly kind: 'stop' }
