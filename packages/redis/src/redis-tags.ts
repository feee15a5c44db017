import type { Clock, Tags, TagVersion } from '@flow-cache/core'
import type { Calls } from './calls.js'
import type { ChangeLog } from './change-log.js'
import { escapeKey, type Layout } from './layout.js'
import type { Link, Position } from './link.js'
import type { Argument } from './script-call.js'
import * as scripts from './scripts.js'

/** How many tags are remembered to have been given their time anew. */
const mostTouched = 10_000

/** What the versions of tags are kept in, and told by. */
interface Keeping {
  readonly calls: Calls
  readonly link: Link
  readonly log: ChangeLog
  readonly layout: Layout
  readonly clock: Clock
  /** How long a marker outlives its last use, in milliseconds. */
  readonly ttl: number
}

/** The versions of tags: a key in Redis each, with a time to live that its use renews. */
export class RedisTags implements Tags {
  readonly #in: Keeping
  /** When the marker of a tag in use was last given its time anew. */
  readonly #touched = new Map<string, number>()

  constructor(keeping: Keeping) {
    this.#in = keeping
  }

  position(): string | Promise<string> {
    const known = this.#in.log.position
    if (known !== undefined) return text(known)
    return this.#in.calls.make(() => this.#in.link.status(this.#in.link.client)).then(text)
  }

  async versions(names: readonly string[], since = ' '): Promise<(string | undefined)[]> {
    if (names.length === 0) return []
    const [epoch, count] = since.split(' ')
    const answer = (await this.#script(scripts.tagVersions, names, [epoch!, count!])) as (Buffer | null)[]
    return answer.map((version) => version?.toString())
  }

  async invalidate(names: readonly string[]): Promise<void> {
    if (names.length > 0) this.#in.log.tagsChanged(Number(await this.#script(scripts.invalidate, names, [])))
  }

  #script(script: scripts.Script, names: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const { calls, layout, ttl } = this.#in
    const { meta, log, tags } = layout
    const escaped = names.map(escapeKey)
    return calls.script(
      script,
      [meta, log, ...escaped.map((name) => tags + name)],
      [...calls.signature(), ttl, ...args, ...escaped],
    )
  }

  /** Gives the markers of an entry's tags their time anew, behind, when a good part of it has passed. */
  touch(tags: readonly TagVersion[]): void {
    const { calls, link, layout, clock, ttl } = this.#in
    const now = clock.now()
    for (const { name } of tags) {
      const before = this.#touched.get(name)
      if (before !== undefined && now - before < ttl / 4) continue
      if (this.#touched.size >= mostTouched) this.#touched.clear()
      this.#touched.set(name, now)
      if (before === undefined) continue
      const marker = layout.tags + escapeKey(name)
      calls.make(() => link.client.pexpire(marker, ttl)).catch(() => {})
    }
  }
}

const text = ({ epoch, tagChanges }: Position): string => `${epoch} ${tagChanges}`
