import { checkText } from './checks.js'
import type { KeyEvent } from './events.js'
import type { Plan } from './plan.js'

/** A key that is asked for, and how. */
export interface Target {
  readonly scope: Scope
  /** As the caller gave it. */
  readonly key: string
  /** As the store knows it. */
  readonly storeKey: string
  readonly plan: Plan
  /** When the call began, where somebody wants it timed. */
  readonly began?: number
}

/**
 * A cache's part of the key space. The root's keys stand as they are; a namespace's are `@name:key`, a nested
 * one's `@outer/inner:key`. Names are escaped, and a root key that begins with `@` gets one more, so no two
 * keys, tags or namespaces ever meet, whatever characters they hold.
 */
export class Scope {
  /** The names of the namespaces, outermost first, escaped and joined. `''` for the root. */
  readonly namespace: string
  /** What stands in front of its keys and tags. */
  readonly prefix: string
  /** The tags that `clear()` invalidates: one for this namespace and one for each around it. */
  readonly epochs: readonly string[]
  readonly plan: Plan

  constructor(namespace: string, epochs: readonly string[], plan: Plan) {
    this.namespace = namespace
    this.prefix = namespace === '' ? '' : `@${namespace}:`
    this.epochs = epochs
    this.plan = plan
  }

  child(name: string, plan: Plan): Scope {
    const escaped = checkText(name, "a namespace's name").replace(
      /[%@:/]/g,
      (c) => `%${c.charCodeAt(0).toString(16)}`,
    )
    const namespace = this.namespace === '' ? escaped : `${this.namespace}/${escaped}`
    return new Scope(namespace, [...this.epochs, `@${namespace}:`], plan)
  }

  /** The key as the store knows it. A key that is not a non-empty string is a `TypeError`. */
  keyIn(key: string): string {
    return this.#name(checkText(key, 'a key'))
  }

  /** What is asked for with the key. */
  target(key: string, plan: Plan): Target {
    return { scope: this, key, storeKey: this.keyIn(key), plan }
  }

  /** The tags' full names, and the epochs'. */
  tagsIn(tags: readonly string[]): readonly string[] {
    return tags.length === 0 ? this.epochs : [...this.epochs, ...tags.map((tag) => this.#name(tag))]
  }

  /** A tag as the caller gave it, or `undefined` for an epoch and for another namespace's. */
  tagOf(name: string): string | undefined {
    return this.epochs.includes(name) ? undefined : this.keyOut(name)
  }

  /** The key as the caller gave it, or `undefined` for another namespace's. */
  keyOut(name: string): string | undefined {
    const { namespace, key } = described(name)
    return namespace === this.namespace ? key : undefined
  }

  /** Whether a key of the store belongs to this scope or one within. */
  covers(storeKey: string): boolean {
    return (
      this.prefix === '' || storeKey.startsWith(this.prefix) || storeKey.startsWith(`@${this.namespace}/`)
    )
  }

  #name(name: string): string {
    return this.prefix !== '' ? this.prefix + name : name[0] === '@' ? `@${name}` : name
  }
}

/** A store's key as events name it. */
export function described(storeKey: string): KeyEvent {
  const [front, namespace = ''] = /^@([^@:]+):|^@(?=@)/.exec(storeKey) ?? ['']
  return { key: storeKey.slice(front.length), namespace }
}
