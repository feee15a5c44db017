import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { readManifest } from './manifest.js'
import { present } from './present.js'

/** A Markdown file and the package around it, before anybody has read it. */
export interface FoundFile {
  /** Where it is on this machine. */
  readonly location: string
  /** Relative to the folder that was searched, with `/` between the parts. */
  readonly path: string
  readonly package: string
  readonly version: string
  /** Relative to its package. */
  readonly file: string
}

/**
 * The Markdown files under `root`, one list per package.
 *
 * A `node_modules` folder is walked package by package, npm's nested layout and pnpm's `.pnpm` store alike; links are
 * followed to the real package and no package is walked twice. Any other folder is walked as one package, without
 * hidden folders and without the `node_modules` in it.
 *
 * It reads synchronously, many times faster for thousands of small folders, and hands back control after each package.
 */
export function* findFiles(root: string): Generator<FoundFile[]> {
  const top = realpathSync(root)
  const ofPackages = basename(top) === 'node_modules'
  const seen = new Set<string>()

  function* walkPackages(folder: string, links: 'follow' | 'skip' = 'follow'): Generator<FoundFile[]> {
    for (const entry of list(folder)) {
      const path = join(folder, entry.name)
      if (entry.name === '.pnpm') yield* walkStore(path)
      else if (entry.name.startsWith('.') || (links === 'skip' && entry.isSymbolicLink())) continue
      else if (entry.name.startsWith('@') && entry.isDirectory()) yield* walkPackages(path, links)
      else yield* walkPackage(path)
    }
  }

  /** pnpm keeps each package in `.pnpm/<name>@<version>/node_modules/<name>`, beside links to what it depends on. */
  function* walkStore(store: string): Generator<FoundFile[]> {
    for (const entry of list(store)) {
      if (entry.isDirectory() && entry.name !== 'node_modules') {
        yield* walkPackages(join(store, entry.name, 'node_modules'), 'skip')
      }
    }
  }

  function* walkPackage(link: string): Generator<FoundFile[]> {
    const home = present(() => realpathSync(link))
    if (home === undefined || seen.has(home) || !statSync(home).isDirectory()) return
    seen.add(home)
    const found: FoundFile[] = []
    const nested = walkFolder(home, home, identify(home), found)
    yield found
    if (ofPackages) for (const folder of nested) yield* walkPackages(folder)
  }

  /** Adds what it finds to `found` and answers with the `node_modules` folders it passed. */
  function walkFolder(
    folder: string,
    home: string,
    { name, version }: Identity,
    found: FoundFile[],
  ): string[] {
    const nested: string[] = []
    for (const entry of list(folder)) {
      const location = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (entry.name === 'node_modules') nested.push(location)
        else if (!entry.name.startsWith('.'))
          nested.push(...walkFolder(location, home, { name, version }, found))
      } else if (entry.isFile() && /\.mdx?$/i.test(entry.name)) {
        const path = posix(relative(top, location))
        found.push({ location, path, package: name, version, file: posix(relative(home, location)) })
      }
    }
    return nested
  }

  yield* ofPackages ? walkPackages(top) : walkPackage(top)
}

interface Identity {
  readonly name: string
  readonly version: string
}

function identify(home: string): Identity {
  const { name, version } = readManifest(home)
  return {
    name: typeof name === 'string' ? name : basename(home),
    version: typeof version === 'string' ? version : '',
  }
}

function list(folder: string): Dirent[] {
  return present(() => readdirSync(folder, { withFileTypes: true })) ?? []
}

function posix(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/')
}
