/** Every file of the page: where it is, and what. */
const files: Readonly<Record<string, readonly [path: string, type: string]>> = {
  'dashboard.css': ['dashboard.css', 'text/css; charset=utf-8'],
  'dashboard.js': ['dashboard.js', 'text/javascript; charset=utf-8'],
  'uplot.css': ['uplot/dist/uPlot.min.css', 'text/css; charset=utf-8'],
  'uplot.js': ['uplot/dist/uPlot.esm.js', 'text/javascript; charset=utf-8'],
}

/** A file of the page, or `undefined` if there is none of the name. */
export async function assetOf(name: string): Promise<{ body: string; type: string } | undefined> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined
  if (file === undefined) return undefined
  const [path, type] = file
  return { body: await read(path), type }
}

/** The page itself, with its heading. */
export async function pageOf(title: string): Promise<string> {
  const escaped = title.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
  return (await read('index.html')).replaceAll('{{title}}', () => escaped)
}

async function read(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const { createRequire } = await import('node:module')
  const { resolve } = createRequire(import.meta.url)
  if (!path.startsWith('uplot/')) {
    // Wherever this file was built to, the package's root is where its manifest is.
    const manifest = resolve('@flow-cache/metrics/package.json')
    return readFile(manifest.replace(/package\.json$/, `dashboard/${path}`), 'utf8')
  }
  try {
    return await readFile(resolve(path), 'utf8')
  } catch (cause) {
    throw new Error('the dashboard draws with uplot, which is not installed: npm install uplot', { cause })
  }
}
