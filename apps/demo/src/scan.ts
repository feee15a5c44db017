import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Document } from './document.js'
import { findFiles, type FoundFile } from './find-files.js'
import { dependenciesOf } from './manifest.js'
import { type Pace, quietPace } from './pace.js'

/** What is in a folder, and what was passed over. */
export interface Corpus {
  /** What the project itself asks for first, then the rest: READMEs, documentation, change logs. Always in one order. */
  readonly documents: readonly Document[]
  /** One digest for all of it: equal exactly when paths, contents, packages and versions are. */
  readonly digest: string
  /** Markdown files found, before anything was passed over. */
  readonly found: number
  /** Files with the very content of another. */
  readonly duplicates: number
  /** Files of a package of which a newer version is there too. */
  readonly older: number
  /** Licences and codes of conduct, which answer no questions. */
  readonly legal: number
  /** Files larger than `maxBytes`. */
  readonly large: number
  /** Files beyond `maxDocuments`. */
  readonly left: number
}

export interface ScanOptions {
  /** The most documents to take. Default 1,000. */
  readonly maxDocuments?: number
  /** Larger files are passed over: they are generated lists more often than prose. Default 512 KiB. */
  readonly maxBytes?: number
  readonly pace?: Pace
}

const legal = /^(licen[cs]e|copying|notice|third.?party|code.of.conduct)/i
const batchSize = 32

/** How many pages of one package that the project asks for come before the READMEs of those it does not know. */
const pagesEach = 150

/** Finds and reads the Markdown under a folder. Never cached: it is how the desk notices that a file changed. */
export async function scan(root: string, options: ScanOptions = {}): Promise<Corpus> {
  const { maxDocuments = 1000, maxBytes = 512 * 1024, pace = quietPace } = options
  const files: FoundFile[] = []
  for (const found of findFiles(root)) {
    files.push(...found)
    if (found.length > 0) await pace(0, 1)
  }
  const prose = files.filter((file) => !legal.test(lastPart(file.file)))
  const readable = byWorth(newest(prose), dependenciesOf(root))
  const documents: Document[] = []
  const digests = new Set<string>()
  let duplicates = 0
  let large = 0
  let left = 0
  for (const [i, file] of readable.entries()) {
    if (i % batchSize === 0) await pace(i, readable.length)
    if (documents.length >= maxDocuments) {
      left++
      continue
    }
    const content = readFileSync(file.location)
    const digest = createHash('sha256').update(content).digest('base64url')
    if (digests.has(digest)) duplicates++
    else if (content.length > maxBytes) large++
    else {
      digests.add(digest)
      documents.push({
        path: file.path,
        package: file.package,
        version: file.version,
        file: file.file,
        digest,
        text: content.toString('utf8'),
      })
    }
  }
  await pace(readable.length, readable.length)
  return {
    documents,
    digest: digestOf(documents),
    found: files.length,
    duplicates,
    older: prose.length - readable.length,
    legal: files.length - prose.length,
    large,
    left,
  }
}

/** Without the files of packages of which a newer version is there: two versions say nearly the same. */
function newest(files: readonly FoundFile[]): FoundFile[] {
  const versions = new Map<string, string>()
  for (const { package: name, version } of files) {
    if (compareVersions(version, versions.get(name) ?? '') >= 0) versions.set(name, version)
  }
  return files.filter((file) => versions.get(file.package) === file.version)
}

/** Good enough to choose documentation by: `10.0.0` after `9.1.0`, and a prerelease before its release. */
function compareVersions(a: string, b: string): number {
  const [coreA = '', coreB = ''] = [a, b].map((version) => version.split(/[-+]/)[0])
  return coreA.localeCompare(coreB, 'en', { numeric: true }) || b.length - a.length
}

function digestOf(documents: readonly Document[]): string {
  const hash = createHash('sha256')
  for (const { path, digest, package: name, version } of documents) {
    hash.update(`${path}\0${digest}\0${name}\0${version}\0`)
  }
  return hash.digest('base64url')
}

/** What is most worth reading first: of what the project asks for READMEs and pages, then the READMEs of all the rest. */
function byWorth(files: readonly FoundFile[], asked: ReadonlySet<string>): FoundFile[] {
  const pages = new Map<string, number>()
  const rank = ({ package: name, file }: FoundFile): number => {
    const isAsked = asked.has(name)
    if (isChangelog(file)) return isAsked ? 4 : 5
    if (/^readme[^/]*$/i.test(file)) return isAsked ? 0 : 2
    const before = pages.get(name) ?? 0
    pages.set(name, before + 1)
    return isAsked && before < pagesEach ? 1 : 3
  }
  return files
    .toSorted((a, b) => depth(a) - depth(b) || (a.path < b.path ? -1 : 1))
    .map((file) => ({ file, rank: rank(file) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ file }) => file)
}

function depth({ file }: FoundFile): number {
  return file.split('/').length
}

/** Whether a file tells what changed rather than how things are. */
export function isChangelog(file: string): boolean {
  return /^(changelog|changes|history|releases?)\b/i.test(lastPart(file))
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
