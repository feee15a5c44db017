import { expect, it } from 'vitest'
import type { Packed } from '../pack.js'
import type { Manifest } from '../repository.js'
import { obstaclesIn } from './obstacles.js'

/** A package that may be published, but for what is given. */
const packed = (manifest: Partial<Manifest> = {}, ...more: string[]): Packed => ({
  name: '@flow-cache/a',
  tarball: 'a.tgz',
  size: 1,
  manifest: { name: '@flow-cache/a', version: '0.1.0', publishConfig: { access: 'public' }, ...manifest },
  files: ['package.json', 'README.md', 'LICENSE', 'bundle/index.js', ...more].map((path) => ({
    path,
    size: 1,
    text: '',
  })),
})

it('has nothing against a package that is as it should be', () => {
  expect(obstaclesIn([packed({ dependencies: { '@flow-cache/core': '^0.1.0' } })])).toEqual([])
})

it.each([
  ['no changeset has named', packed({ version: '0.0.0' }), 'has no version'],
  ['would not be public', packed({ publishConfig: {} }), 'would not be public'],
  [
    'asks for a folder',
    packed({ dependencies: { b: 'workspace:^' } }),
    'what nobody else has: b workspace:^',
  ],
  [
    'asks a peer for one',
    packed({ peerDependencies: { b: 'file:../b' } }),
    'what nobody else has: b file:../b',
  ],
  ['carries tests', packed({}, 'src/a.test.ts'), 'what nobody needs: src/a.test.ts'],
  ['carries settings', packed({}, '.env'), 'what nobody needs: .env'],
])('names a package that %s', (_, one, said) => {
  expect(obstaclesIn([packed(), one])).toEqual([expect.stringContaining(said)])
})

it('names one that is packed without its licence', () => {
  const { files, ...rest } = packed()
  const bare = { ...rest, files: files.filter(({ path }) => path !== 'LICENSE') }
  expect(obstaclesIn([bare])).toEqual(['@flow-cache/a is packed without its README.md or LICENSE.'])
})
