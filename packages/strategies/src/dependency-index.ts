import { type Cache, doNotCache, type Loader } from '@flow-cache/core'
import { namesIn } from './dependency-tags.js'
import { inOrder } from './in-order.js'

/** Who depends on whom, kept in a namespace of the cache, for all processes that share it. */
export interface DependencyIndex {
  /**
   * The names that `parents` depend on, themselves among them. `undefined` if there are more than `maxAncestors`, or
   * while the store fails. One that nothing is known of depends on nothing.
   */
  ancestorsOf(parents: readonly string[]): Promise<readonly string[] | undefined>
  /** What was last kept by `declare`, or `undefined` if nothing is known. */
  declared(key: string): Promise<readonly string[] | undefined>
  /** Keeps what the key depends on; `undefined`: more than can be kept track of, so that nothing made from it is kept. */
  declare(key: string, ancestors: readonly string[] | undefined): Promise<void>
  /** Lists the key under each of the names, where it is not listed yet. */
  list(key: string, names: readonly string[]): Promise<void>
  /** The keys listed under the name since they were last forgotten: those that may depend on it, and perhaps others. */
  dependentsOf(name: string): Promise<readonly string[]>
  /** Forgets the list of a name whose dependents are gone. */
  forgetDependents(name: string): Promise<void>
}

/** Stands for more names than can be kept track of. No name is empty. */
const beyond = ''

/** In how many parts the list of a name is kept: each addition writes one part anew. */
const parts = 8

/**
 * An index of plain entries that may be lost, each at any time, without making an invalidation miss anything: tags end
 * entries, and the tags of all ancestors stand in each entry. What is lost here is missing in an answer, or makes one
 * more entry end than need be.
 *
 * A list is changed under the cache's lease for it, so that processes do not overwrite each other's additions.
 */
export function dependencyIndex(
  cache: Cache,
  {
    maxAncestors,
    maxDependents,
    remember,
  }: Readonly<Record<'maxAncestors' | 'maxDependents' | 'remember', number>>,
): DependencyIndex {
  const index = cache.namespace('dependencies', {
    ttl: remember,
    maxTtl: Infinity,
    grace: 0,
    jitter: 0,
    copy: 'share',
    errorTtl: 0,
  })
  const ancestorsKey = (key: string): string => `of ${key}`
  const partKey = (name: string, part: number): string => `on ${part} ${name}`
  /** A forced load ends the one before it, in one process. */
  const additions = inOrder()
  const maxPart = Math.ceil(maxDependents / parts)

  const addTo = async (name: string, key: string): Promise<void> => {
    const load: Loader<readonly string[]> = ({ previous }) => {
      const before = (previous?.value ?? []) as readonly string[]
      if (before.includes(key)) return doNotCache(before)
      return [...(before.length < maxPart ? before : before.slice(1 - maxPart)), key]
    }
    const at = partKey(name, partOf(key))
    await additions.run([at], () => index.getOrSet(at, load, { forceRefresh: true }))
  }

  // A read that fails looks like a miss, and what was not read must not pass for what is not there.
  let failures = 0
  cache.on('error', () => void failures++)

  return {
    async ancestorsOf(names) {
      const failed = failures
      const found = new Set(names)
      // What is kept of a name is what was known when it was put in; the names above it may depend on more by now.
      for (let next = names; next.length > 0 && found.size <= maxAncestors;) {
        const declared = await index.getMany<readonly string[]>(next.map(ancestorsKey))
        // What stands in the entries is right where the index lost it, or two processes declared at once.
        const looked = next.filter((name) => names.includes(name) || !declared.has(ancestorsKey(name)))
        const entries = await Promise.all(looked.map((name) => cache.explain(name)))
        const above = [...declared.values(), ...entries.map(({ tags }) => namesIn(tags))].flat()
        if (above.includes(beyond)) return undefined
        next = [...new Set(above)].filter((name) => !found.has(name))
        for (const name of next) found.add(name)
      }
      return found.size <= maxAncestors && failures === failed ? [...found] : undefined
    },
    declared: (key) => index.get<readonly string[]>(ancestorsKey(key)),
    declare: (key, ancestors) => index.set(ancestorsKey(key), ancestors ?? [beyond]),
    async list(key, names) {
      if (names.length === 0) return
      const part = partOf(key)
      const listed = await index.getMany<readonly string[]>(names.map((name) => partKey(name, part)))
      const missing = names.filter((name) => listed.get(partKey(name, part))?.includes(key) !== true)
      await Promise.all(missing.map((name) => addTo(name, key)))
    },
    async dependentsOf(name) {
      // Past the memory of this process, which is not told of additions.
      const read: Loader<readonly string[]> = ({ previous }) =>
        doNotCache((previous?.value ?? []) as readonly string[])
      const lists = await Promise.all(
        Array.from({ length: parts }, (_, part) =>
          index.getOrSet(partKey(name, part), read, { forceRefresh: true }),
        ),
      )
      return lists.flat()
    },
    async forgetDependents(name) {
      await index.deleteMany(Array.from({ length: parts }, (_, part) => partKey(name, part)))
    },
  }
}

/** The part of a list that a key is in. */
function partOf(key: string): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
  return (hash >>> 0) % parts
}
