import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes a folder for one test: text becomes a file, `{ link }` a link to another path in it. */
export function temporaryTree(files: Readonly<Record<string, string | { readonly link: string }>>): string {
  const root = mkdtempSync(join(tmpdir(), 'docs-desk-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    const location = join(root, path)
    mkdirSync(dirname(location), { recursive: true })
    if (typeof content === 'string') writeFileSync(location, content)
    else symlinkSync(join(root, content.link), location, 'junction')
  }
  return root
}
