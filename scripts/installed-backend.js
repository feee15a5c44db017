// Follows docs/custom-store.md to the letter, as somebody who writes a store does: an empty folder, the files and the
// commands of the page, plain npm, and core from its tarball. `scripts/installed.js` calls it; alone it packs core first.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The blocks of the page, in order: files by the name in brackets, and commands. */
function blocksOf(page) {
  const fence = /^```(\w+)(?: \[(.+?)\])?\n([\s\S]*?)^```$/gm
  return [...page.matchAll(fence)].map(([, language, file, text]) => ({ language, file, text }))
}

/** Builds the store of the page in a folder below `folder`, with the core in `tarball`. */
export function followBackendPage(folder, tarball) {
  const parent = join(folder, 'backend')
  mkdirSync(parent)
  const cwd = join(parent, 'flow-cache-files')
  const run = (command, cwd) =>
    execFileSync('sh', ['-c', command], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  let tested = ''
  for (const { language, file, text } of blocksOf(readFileSync(join(root, 'docs/custom-store.md'), 'utf8'))) {
    if (file !== undefined) {
      mkdirSync(dirname(join(cwd, file)), { recursive: true })
      writeFileSync(join(cwd, file), text)
    } else if (language === 'sh') {
      const command = text.replace('@flow-cache/core', tarball)
      if (command.startsWith('mkdir')) run(command, parent)
      else tested = run(command, cwd)
    }
  }
  const [, passed] = /^[#ℹ] pass (\d+)$/m.exec(tested) ?? []
  const [, failed] = /^[#ℹ] fail (\d+)$/m.exec(tested) ?? []
  assert.ok(Number(passed) > 30 && failed === '0', `the kit is not green: ${tested.slice(-2_000)}`)

  // With the other runner the page names.
  const test = join(cwd, 'src/file-store.test.ts')
  writeFileSync(
    test,
    readFileSync(test, 'utf8').replace("from 'node:test' // with Vitest: from 'vitest'", "from 'vitest'"),
  )
  run('npm install --no-audit --no-fund --save-dev vitest@4', cwd)
  run('npx vitest run src', cwd)

  // What would be published.
  const packed = JSON.parse(run('npm pack --dry-run --json --ignore-scripts', cwd))
  const files = packed[0].files.map(({ path }) => path).toSorted()
  assert.deepEqual(files, ['dist/file-store.d.ts', 'dist/file-store.js', 'package.json'])
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), 'flow-cache-backend-'))
  try {
    const tarball = join(folder, 'core.tgz')
    execFileSync('pnpm', ['pack', '--out', tarball], { cwd: join(root, 'packages/core'), stdio: 'ignore' })
    followBackendPage(folder, tarball)
    process.stdout.write('the page on stores leads from an empty folder to a green kit\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
