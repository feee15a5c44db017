// Packs every package and installs it with plain npm into an empty project outside of the workspace, as somebody else does:
// types are checked under both module resolutions with their declarations, and a program uses every entry without peers of
// frameworks. `pnpm check` runs it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { followBackendPage } from './installed-backend.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flow-cache-installed-'))
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const say = (line) => process.stdout.write(`${line}\n`)

/** An empty project with these installed. */
function project(name, packages) {
  const cwd = join(folder, name)
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'package.json'), '{ "private": true, "type": "module" }')
  run('npm', ['install', '--no-audit', '--no-fund', ...packages], cwd)
  return cwd
}

try {
  const names = readdirSync(join(root, 'packages'))
  const packed = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.tgz`)]))
  for (const name of names) run('pnpm', ['pack', '--out', packed[name]], join(root, 'packages', name))

  const small = project('memory', [packed.core, packed.memory])
  const installed = readdirSync(join(small, 'node_modules')).filter((name) => !name.startsWith('.'))
  assert.deepEqual(installed, ['@flow-cache', 'lru-cache'], 'memory pulls in core and lru-cache alone')
  say('memory pulls in core and lru-cache alone')

  followBackendPage(folder, packed.core)
  say('the page on stores leads from an empty folder to a green kit')

  const { devDependencies } = JSON.parse(readFileSync(join(root, 'packages/metrics/package.json'), 'utf8'))
  const peers = ['uplot', 'prom-client', '@opentelemetry/api'].map(
    (name) => `${name}@${devDependencies[name]}`,
  )
  const app = project('app', [...Object.values(packed), ...peers, 'typescript@5', '@types/node@20'])
  writeFileSync(join(app, 'main.ts'), readFileSync(join(root, 'scripts/installed-main.mts'), 'utf8'))
  const strict = ['--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node']
  const lib = ['--lib', 'es2023,esnext.disposable,dom,dom.iterable']
  for (const [module, resolution] of [
    ['esnext', 'bundler'],
    ['nodenext', 'nodenext'],
  ]) {
    const how = ['--module', module, '--moduleResolution', resolution, '--outDir', resolution]
    run('npx', ['tsc', ...strict, ...lib, ...how, 'main.ts'], app)
    say(`types are right under ${resolution}`)
  }
  assert.equal(run(process.execPath, ['nodenext/main.js'], app), 'done\n')
  say('every entry does what it should')
  for (const name of names) {
    run(process.execPath, ['-e', `require('@flow-cache/${name}')`], app)
  }
  say('every package can be required')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
