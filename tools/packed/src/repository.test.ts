import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { published, readManifest, root } from './repository.js'

const smallest = readManifest(join(root, 'packages/memory'))
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')

describe.each(
  published().map(({ folder, manifest }) => [manifest.name, basename(folder), manifest] as const),
)('%s', (name, folder, manifest) => {
  it('is named for its folder, and says where that is', () => {
    expect(name).toBe(`@flow-cache/${folder}`)
    expect(manifest).toMatchObject({
      homepage: expect.stringContaining(`/packages/${folder}#readme`),
      repository: { directory: `packages/${folder}` },
    })
  })

  it('promises the Node, the licence and the scripts of the others', () => {
    const { license, engines, scripts, type, sideEffects } = smallest
    expect(manifest).toMatchObject({ license, engines, scripts, type, sideEffects })
    expect(read('packages', folder, 'LICENSE')).toBe(read('LICENSE'))
  })

  it('publishes a bundle for every entry, and no condition of ours', () => {
    const { exports, publishConfig } = manifest
    expect(publishConfig?.access).toBe('public')
    expect(Object.keys(publishConfig?.exports ?? {})).toEqual(Object.keys(exports ?? {}))
    const conditions = Object.entries(publishConfig?.exports ?? {}).filter(
      ([path]) => path !== './package.json',
    )
    for (const [path, targets] of conditions) {
      expect(targets, path).toEqual({
        types: expect.stringMatching(/^\.\/dist\/.+\.d\.ts$/),
        default: expect.stringMatching(/^\.\/bundle\/.+\.js$/),
      })
    }
  })

  it('depends on core and on no other package of ours', () => {
    const ours = Object.keys(manifest.dependencies ?? {}).filter((one) => one.startsWith('@flow-cache/'))
    expect(ours).toEqual(folder === 'core' ? [] : ['@flow-cache/core'])
  })

  it('is type-checked, and listed in the README', () => {
    for (const file of ['tsconfig.json', 'tsconfig.test.json'])
      expect(read(file)).toContain(`packages/${folder}/tsconfig.build.json`)
    expect(read('README.md')).toContain(`packages/${folder}/README.md`)
  })
})
