import { keyOf } from '@flow-cache/core'
import { checkText } from './checks.js'
import type { BaseNode } from './node.js'
import { defaults } from './options.js'

/** What stands for the code in a node's key: the version that was given, or the node's own. */
export function versionOf(node: BaseNode<never>, version: string | undefined): string {
  return versionFor(sourceOf(node), version ?? node.version)
}

/** The text of a node's code, for `version: 'source'`. */
export function sourceOf(node: BaseNode<never>): string {
  return node.source ?? textOf(node.execute)
}

/** The same for a function, or the text of one. */
export function versionFor(code: string | Code, version: string | undefined): string {
  if (version === undefined) return defaults.version
  checkText(version, 'version')
  if (version !== 'source') return version
  const text = typeof code === 'string' ? code : textOf(code)
  if (/\{\s*\[native code\]\s*\}$/.test(text))
    throw new TypeError(
      "version cannot be 'source': the text of a bound function is the same for all of them",
    )
  // A digest, made once: the text may be longer than the input.
  return `source:${keyOf(text, { maxBytes: Infinity })}`
}

type Code = (...args: never) => unknown

const textOf = (code: Code): string => Function.prototype.toString.call(code)
