import type { Document } from './document.js'
import type { Query } from './question.js'
import { isChangelog } from './scan.js'
import { terms } from './words.js'

const changelog = 0.4
/** A name of several parts, such as `lru-cache`, is meant; a name of one may be a word like `glob` or `debug`. */
const named = { compound: 1.4, simple: 1.15 }

/**
 * How much a document counts for a question before anything in it is read, as a factor: more where the question names
 * its package, less where it tells what changed once rather than how things are.
 */
export function standing({ terms: asked }: Query): (document: Pick<Document, 'package' | 'file'>) => number {
  const packages = new Map<string, number>()
  const ofPackage = (name: string): number => {
    let factor = packages.get(name)
    if (factor === undefined) {
      const parts = terms(name.slice(name.indexOf('/') + 1))
      const isNamed = parts.length > 0 && parts.every((part) => asked.has(part))
      factor = isNamed ? (parts.length > 1 ? named.compound : named.simple) : 1
      packages.set(name, factor)
    }
    return factor
  }
  return (document) => ofPackage(document.package) * (isChangelog(document.file) ? changelog : 1)
}
