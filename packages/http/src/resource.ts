import { keyOf as digestOf } from '@flow-cache/core'
import type { Asked } from './storing.js'
import { directivesOf } from './directives.js'
import type { Settings } from './options.js'

/** The longest key of a resource; a longer one is not kept. */
const longest = 4_096

/** What a request asks for, and where the cache has it. */
export interface Resource extends Asked {
  readonly name: string
  /** The key of its newest variant that was not known before. */
  readonly key: string
  /** Whether nothing can be kept under its name. */
  readonly isUnfit: boolean
}

/**
 * What the request asks for. Who shows credentials is answered from entries of their own, so that what a handler made for
 * someone it knows is never given to someone it does not know, nor the other way round.
 */
export function resourceOf(request: Request, settings: Settings): Resource {
  const { headers } = request
  const isKnown = settings.credentials.some((header) => headers.has(header))
  const name = settings.key(request)
  return {
    request,
    directives: directivesOf(headers),
    isKnown,
    name,
    key: keyOf(name, isKnown),
    isUnfit: isUnfit(name),
  }
}

/** Too long, or with half a character that no other process could read. */
const isUnfit = (name: string): boolean => name.length > longest || /\p{Surrogate}/u.test(name)

/** The tag of all variants of the resource. A digest: a cache remembers tags longer than entries, and clients choose names. */
export const tagOf = ({ name, isKnown }: Pick<Resource, 'name' | 'isKnown'>): string =>
  `http:${isKnown ? 'known' : 'anyone'}:${digestOf(name)}`

/** The tags of everything that is kept of a resource by this name. */
export const tagsOf = (name: string): readonly string[] =>
  isUnfit(name) ? [] : [false, true].map((isKnown) => tagOf({ name, isKnown }))

// A variant is a hash, so where the name begins is never in doubt.
const keyOf = (name: string, known: boolean, variant = ''): string =>
  `http:${known ? 'known' : 'anyone'}:${variant}:${name}`

/** The key of a variant of the resource. */
export const variantKey = ({ name, isKnown }: Resource, variant: string): string =>
  keyOf(name, isKnown, variant)
