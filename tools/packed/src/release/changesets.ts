import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The changesets of a checkout that no version has taken up yet, by name. */
export const pendingChangesets = (checkout: string): string[] =>
  readdirSync(join(checkout, '.changeset'))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => name.replace('.md', ''))

/** The dist-tag that a release gets: `latest`, or that of the pre-release which the checkout is in. */
export function tagOf(checkout: string): string {
  const pre = join(checkout, '.changeset/pre.json')
  if (!existsSync(pre)) return 'latest'
  const { mode, tag } = JSON.parse(readFileSync(pre, 'utf8')) as { mode: string; tag: string }
  return mode === 'pre' ? tag : 'latest'
}
