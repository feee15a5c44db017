import type { TagVersion } from './entry.js'
import { randomId } from './random.js'
import { attempt, chain } from './awaitable.js'
import type { Guard } from './store-guard.js'
import type { Awaitable, Store } from './store.js'

/** A tag's version as this process knows it. Entries point at it, so that a hit asks it and looks nothing up. */
interface Marker extends TagVersion {
  /** The table's count of changes when this version came. */
  readonly bornAt: number
  alive: boolean
  /** Since it was last spared. */
  used: boolean
}

/** Where the invalidations stood when a load began. Opaque; undefined where that could not be learned. */
export type TagPosition = number | string | undefined

/** Whether every version is known to stand still. What a hit on a tagged entry costs. */
export function allAlive(tags: readonly TagVersion[]): boolean {
  for (let i = 0; i < tags.length; i++) if (tags[i]!.alive !== true) return false
  return true
}

/** Whether any version is known not to be the tag's any more. */
export const anyDead = (tags: readonly TagVersion[] | undefined): boolean => tags?.some(isDead) === true

const isDead = ({ alive }: TagVersion): boolean => alive === false

/**
 * What this process knows of tags. Without a source it is where tags are decided; with one, it keeps copies
 * of the source's versions, and `trusted` says whether somebody tells when they change.
 *
 * Versions are captured before a load and compared afterwards; a version that is absent or another one makes
 * an entry count no more. So a marker can be forgotten at any time, at the price of misses.
 */
export class TagTable {
  readonly #max: number
  readonly #guard: Guard
  /** Whether there is a source. */
  readonly #shared: boolean
  #trusted: boolean
  readonly #markers = new Map<string, Marker>()
  /** Stays where it is: one that begins anew steps over everything that was taken from the front since. */
  #oldest = this.#markers.values()
  /** How many changes this process has seen. A version is born at one. */
  #changes = 0
  /** The youngest change of a marker that was dropped: any unknown tag may have changed then. */
  #horizon = 0
  /** Tags with a version that the source knows nothing of. */
  readonly #minted = new Set<string>()
  /** Tags the source has not invalidated yet. */
  readonly #owed = new Set<string>()
  /** For each question to the source under way, the tags that changed since, with their version if that was told. */
  readonly #changed = new Set<Map<string, string | undefined>>()

  constructor(max: number, guard: Guard, { tags, log }: Store) {
    this.#max = max
    this.#guard = guard
    this.#shared = tags !== undefined
    this.#trusted = log !== undefined
  }

  /** Counts every change this process has seen: equal before and after means that no tag changed between. */
  get changes(): number {
    return this.#changes
  }

  /** The tags' versions now, for a load or a write that is about to begin. */
  snapshot(names: readonly string[]): Awaitable<readonly TagVersion[]> {
    const versions: Marker[] = []
    for (const name of names) {
      const marker = this.#markers.get(name) ?? (this.#shared ? undefined : this.#put(name, this.#horizon))
      // Without a position to compare with, there is a version of each.
      if (marker === undefined) return this.#ask(names) as Awaitable<readonly TagVersion[]>
      marker.used = true
      versions.push(marker)
    }
    return versions
  }

  /**
   * The tags' versions as far as they are known, and ones of this process's own for the others: for what is kept in
   * the nearest tier while the source is away. They end when it is back.
   */
  mint(names: readonly string[]): readonly TagVersion[] {
    return names.map((name) => {
      const known = this.#markers.get(name)
      if (known !== undefined) return known
      const marker = this.#put(name, this.#changes)
      this.#minted.add(name)
      return marker
    })
  }

  /** The source is back. */
  endMinted(): void {
    for (const name of this.#minted) this.forget(name)
    this.#minted.clear()
  }

  /** Where the invalidations stand, to be given to `snapshotSince` when the load has said which tags it adds. */
  position(): Awaitable<TagPosition> {
    return this.#shared ? this.#call(({ tags }) => tags!.position()) : this.#changes
  }

  /** The versions of tags, unless any of them may have been invalidated since `position`. */
  snapshotSince(
    names: readonly string[],
    position: TagPosition,
  ): Awaitable<readonly TagVersion[] | undefined> {
    if (position === undefined) return undefined
    if (this.#shared) return this.#ask(names, position as string)
    const versions = this.snapshot(names) as readonly Marker[]
    return versions.some((marker) => marker.bornAt > (position as number)) ? undefined : versions
  }

  /**
   * Whether every version is the tag's still. Replaces elements by the markers they equal, so that the next
   * hit need not look.
   */
  verify(tags: readonly TagVersion[]): Awaitable<boolean> {
    const unknown: string[] = []
    for (let i = 0; i < tags.length; i++) {
      const tag = tags[i]!
      if (tag.alive === true) continue
      const marker = this.#markers.get(tag.name)
      if (marker === undefined) unknown.push(tag.name)
      else if (marker.version !== tag.version) return false
      else (tags as TagVersion[])[i] = marker
    }
    if (unknown.length === 0) return true
    if (!this.#shared) return false
    return chain(this.#ask(unknown), (versions) => {
      const now = new Map(versions!.map((version) => [version.name, version]))
      return tags.every((tag, i) => {
        const current = now.get(tag.name) ?? tag
        if (current.version !== tag.version) return false
        ;(tags as TagVersion[])[i] = current
        return true
      })
    })
  }

  /** Gives each tag a new version. From the call on no older one counts here; once it resolves, nowhere. */
  invalidate(names: readonly string[]): Awaitable<void> {
    for (const name of names) this.forget(name)
    if (!this.#shared) return
    for (const name of names) this.#owed.add(name)
    return this.settle()
  }

  /** Whether the source has tags yet to invalidate. */
  get owes(): boolean {
    return this.#owed.size > 0
  }

  /** Has the source invalidate what it was to, also what it failed to before. Nothing is learned from it until then. */
  settle(): Awaitable<void> {
    if (this.#owed.size === 0) return
    const names = [...this.#owed]
    return chain(
      this.#guard('invalidate tags', ({ tags }) => tags!.invalidate(names)),
      () => {
        for (const name of names) {
          this.#owed.delete(name)
          // Again, for what was learned while the source was changing.
          this.forget(name)
        }
      },
    )
  }

  /** The tag has another version: here, or so somebody tells, perhaps with the version. That may be known already. */
  forget(name: string, version?: string): void {
    for (const changed of this.#changed) changed.set(name, version)
    const marker = this.#markers.get(name)
    if (version !== undefined && marker?.version === version) return
    this.#changes++
    if (marker !== undefined) marker.alive = false
    this.#markers.delete(name)
    if (!this.#shared) this.#put(name, this.#changes)
  }

  /** Whether somebody tells when versions change. Nobody does while the log is out of reach. */
  trust(trusted: boolean): void {
    this.forgetAll()
    this.#trusted = trusted
  }

  /** Nothing that was learned is to be trusted. */
  forgetAll(): void {
    this.#horizon = ++this.#changes
    for (const marker of this.#markers.values()) marker.alive = false
    this.#markers.clear()
  }

  #put(name: string, bornAt: number, version = randomId()): Marker {
    if (this.#markers.size >= this.#max) this.#forgetOne()
    const marker: Marker = { name, version, bornAt, alive: true, used: false }
    this.#markers.set(name, marker)
    return marker
  }

  /**
   * Makes room: the oldest goes, but one that was used since it was last looked at here has a second chance. (Moving it
   * at each use instead would have the map copied over and over.) Its entries become misses, which costs loads and never
   * truth.
   */
  #forgetOne(): void {
    for (let ends = 0; ends < 2;) {
      const { value: marker, done } = this.#oldest.next()
      if (done === true) {
        this.#oldest = this.#markers.values()
        ends++
        continue
      }
      this.#markers.delete(marker.name)
      if (marker.used) {
        marker.used = false
        this.#markers.set(marker.name, marker)
        continue
      }
      marker.alive = false
      this.#horizon = Math.max(this.#horizon, marker.bornAt)
      return
    }
  }

  /** Asks the source; `undefined` if a tag may have been invalidated after the position `since`. */
  #ask(names: readonly string[], since?: string): Awaitable<readonly TagVersion[] | undefined> {
    const changed = new Map<string, string | undefined>()
    const askedAt = this.#changes
    this.#changed.add(changed)
    return attempt(
      () => chain(this.settle(), () => this.#call(({ tags }) => tags!.versions(names, since))),
      (versions) => {
        this.#changed.delete(changed)
        // What changed after the question was put may have been answered before it.
        const isOvertaken = (name: string, i: number): boolean =>
          changed.has(name) && changed.get(name) !== versions[i]
        if (versions.includes(undefined) || (since !== undefined && names.some(isOvertaken))) return undefined
        return names.map((name, i) => {
          const version = versions[i]!
          if (!this.#trusted || this.#horizon > askedAt || isOvertaken(name, i)) return { name, version }
          const marker = this.#markers.get(name)
          if (marker?.version === version) return marker
          if (marker !== undefined) this.forget(name)
          return this.#put(name, this.#changes, version)
        })
      },
      (error) => {
        this.#changed.delete(changed)
        throw error
      },
    )
  }

  #call<T>(call: (store: Store) => Awaitable<T>): Awaitable<T> {
    return this.#guard('read the tags', call)
  }
}
