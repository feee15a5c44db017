// Makes one file of each entry of the package in the current folder, with what they share in files of their own: an
// import of forty files takes four times as long as one of one file. Published packages have these; here, `dist` is used.
import { readFile, rm } from 'node:fs/promises'
import { build } from 'esbuild'

const { exports } = JSON.parse(await readFile('package.json', 'utf8')).publishConfig
const entries = Object.values(exports).flatMap(({ default: file }) => (file === undefined ? [] : [file]))

await rm('bundle', { recursive: true, force: true })
await build({
  entryPoints: entries.map((file) => file.replace('./bundle/', './dist/')),
  outdir: 'bundle',
  outbase: 'dist',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  target: 'es2022',
  chunkNames: 'shared/[hash]',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
