import { run } from './run.js'

/** Licences that ask for a notice and nothing more. */
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
])

/** Whether what is under this licence, or under one of those it leaves the choice of, may be used by anybody. */
export const isPermissive = (licence: string | undefined): boolean =>
  (licence ?? '')
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((one) => permissive.has(one))

/** Everything that is installed below a folder, as `name@version: licence`, under a licence that asks for more. */
export async function demanding(folder: string): Promise<string[]> {
  const all = JSON.parse(await run('npm', ['query', '*'], { cwd: folder })) as {
    readonly name: string
    readonly version: string
    readonly license?: string
    readonly location: string
  }[]
  return all
    .filter(({ location, license }) => location !== '' && !isPermissive(license))
    .map(({ name, version, license }) => `${name}@${version}: ${license}`)
}
