import type { Document } from './document.js'
import { isChangelog } from './scan.js'

/** Questions that somebody with these packages might have. */
const samples: readonly (readonly [packageName: string, question: string])[] = [
  ['turbo', 'What does Turborepo put into the hash of a task?'],
  ['lru-cache', 'How do I limit an lru-cache by the size of its values?'],
  ['ioredis', 'How does ioredis reconnect after the connection is lost?'],
  ['semver', 'How does semver treat prerelease versions in a range?'],
  ['fast-glob', 'How do I exclude files with a glob pattern?'],
  ['@changesets/cli', 'What is a changeset?'],
]

/**
 * Questions that these documents can answer: about packages that are among them, and where too few of those are, about
 * what the longest documents are called.
 */
export function sampleQuestions(documents: readonly Document[], count = 3): string[] {
  const packages = new Set(documents.map((document) => document.package))
  const known = samples.filter(([name]) => packages.has(name)).map(([, question]) => question)
  const titles = documents
    .filter(({ file }) => !isChangelog(file))
    .toSorted((a, b) => b.text.length - a.text.length)
    .map((document) => `What is ${titleOf(document)} about?`)
  return [...new Set([...known, ...titles])].slice(0, count)
}

function titleOf({ text, package: name }: Document): string {
  const title = /^(?:#|title:)[ \t]+(.*\S)/m.exec(text)?.[1]?.replace(/^(['"])(.*)\1$|\s*#+$/g, '$2') ?? ''
  // A title of badges or markup is none.
  return /^[\p{L}\p{N}@][^[\]<>`]*$/u.test(title) ? title : name
}
