import { statSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder, with a slash at the end. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

/** The repository where people read it. */
export const repository = 'https://github.com/flow-cache/flow-cache'

/** Where the reference is written, from the root of the repository. */
export const referenceFolder = 'tools/site/reference'

/** Folders whose Markdown is no page of the site. */
const noPages = ['node_modules', 'dist', 'test', 'src', 'results']

/** The same as a pattern. */
export const noPagesPattern: string = `**/{${noPages.join()}}/**`

/** The place of a page on the site, by its file in the repository: the `README.md` of a folder is its index. */
export function placeOf(file: string): string {
  if (file === 'README.md') return 'start.md'
  return file.replace(/^tools\/site\//, '').replace(/(^|\/)README\.md$/, '$1index.md')
}

/** Where a link on the page of `file` leads: to a page of the site, or to a file on GitHub. Throws if there is no such file. */
export function leadTo(link: string, file: string): string {
  if (/^([a-z]+:|#|\/)/.test(link)) return link
  const [path = '', anchor] = link.split('#')
  const target = posix.join(posix.dirname(file), path).replace(/\/$/, '')
  const hash = anchor === undefined ? '' : `#${anchor}`
  if (isPage(target)) return `/${placeOf(target)}${hash}`
  const kind = statSync(root + target).isDirectory() ? 'tree' : 'blob'
  return `${repository}/${kind}/main/${target}${hash}`
}

const isPage = (file: string): boolean =>
  file.endsWith('.md') && !file.split('/').some((folder) => noPages.includes(folder))
