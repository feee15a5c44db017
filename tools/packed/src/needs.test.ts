import { expect, it } from 'vitest'
import { modulesOf, peersOf } from './needs.js'
import type { Packed } from './pack.js'

const file = (path: string, text: string) => ({ path, text, size: text.length })
const packed: Packed = {
  name: 'a',
  tarball: 'a.tgz',
  size: 0,
  manifest: {
    name: 'a',
    version: '1.0.0',
    exports: {
      '.': { types: './dist/index.d.ts', default: './bundle/index.js' },
      './more': { types: './dist/more.d.ts', default: './bundle/more.js' },
    },
    peerDependencies: { one: '1', two: '1', twofold: '1' },
  },
  files: [
    file('bundle/index.js', `import { x } from "./shared/x.js"; const y = await import('lazy')`),
    file('bundle/shared/x.js', `import 'side'\nexport * from "../index.js"`),
    file('bundle/more.js', `import{t}from"two/deep"`),
    file('dist/index.d.ts', `export type { X } from './x.js'`),
    file('dist/x.d.ts', `export type X = import('one').X`),
    file('dist/more.d.ts', ''),
  ],
}

it('follows a file through its package, in circles too, and tells what is imported from elsewhere', () => {
  expect(modulesOf(packed, 'bundle/index.js').toSorted()).toEqual(['lazy', 'side'])
})

it('follows declarations, which name programs that are not there', () => {
  expect(modulesOf(packed, 'dist/index.d.ts')).toEqual(['one'])
})

it('tells the peers of an entry, by their program and their types', () => {
  expect(peersOf(packed, '.')).toEqual(['one'])
  expect(peersOf(packed, './more')).toEqual(['two'])
})
