import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { pendingChangesets, tagOf } from './changesets.js'

/** A checkout with these files in `.changeset`. */
function checkout(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'flow-cache-changesets-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, '.changeset'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, '.changeset', name), text)
  return folder
}

it('what waits is every changeset, and neither the settings nor the read-me', () => {
  expect(pendingChangesets(checkout({ 'config.json': '{}', 'README.md': '', 'brave-cats.md': '' }))).toEqual([
    'brave-cats',
  ])
})

it('the tag is that of a pre-release while one goes on, and the latest otherwise', () => {
  expect(tagOf(checkout({}))).toBe('latest')
  expect(tagOf(checkout({ 'pre.json': '{"mode":"pre","tag":"next"}' }))).toBe('next')
  expect(tagOf(checkout({ 'pre.json': '{"mode":"exit","tag":"next"}' }))).toBe('latest')
})
