import { type Packed, pathsOf } from '../pack.js'
import type { Plan } from './plan.js'

/** Tells a plan in full, one package after the other, as lines to print. */
export function describe({ commit, tag, packages, published }: Plan, provenance: boolean): string[] {
  const made = provenance
    ? 'with provenance'
    : 'with provenance, which the release workflow can make and this machine cannot'
  return [
    `A release of ${commit} publishes ${packages.length} ${packages.length === 1 ? 'package' : 'packages'}, ${made}.`,
    ...packages.flatMap((one) => ['', ...describePackage(one, tag)]),
    ...(published.length === 0 ? [] : ['', `Published before: ${published.map(nameOf).join(', ')}.`]),
  ]
}

function describePackage(packed: Packed, tag: string): string[] {
  const { manifest, files, size } = packed
  const unpacked = files.reduce((sum, file) => sum + file.size, 0)
  const peers = Object.entries(manifest.peerDependencies ?? {}).map(
    ([name, range]) =>
      `${name} ${range}${manifest.peerDependenciesMeta?.[name]?.optional === true ? ' (optional)' : ''}`,
  )
  return [
    nameOf(packed),
    `  tag ${manifest.publishConfig?.tag ?? tag}, access ${manifest.publishConfig?.access ?? 'restricted'}, Node ${manifest.engines?.node}`,
    ...listed('entries', pathsOf(packed)),
    ...listed(
      'dependencies',
      Object.entries(manifest.dependencies ?? {}).map((pair) => pair.join(' ')),
    ),
    ...listed('peers', peers),
    `  tarball of ${kilobytes(size)}; unpacked ${kilobytes(unpacked)} in ${files.length} files`,
    ...files
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
      .map((file) => `    ${kilobytes(file.size).padStart(9)}  ${file.path}`),
  ]
}

const nameOf = ({ name, manifest }: Packed): string => `${name}@${manifest.version}`
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`
const listed = (what: string, all: readonly string[]): string[] => [
  `  ${what}: ${all.length === 0 ? 'none' : all.join(', ')}`,
]
