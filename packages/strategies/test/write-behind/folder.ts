import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory of the test's own, removed after it. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'flow-cache-journal-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
