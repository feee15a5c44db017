import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { demanding, isPermissive } from '../src/licences.js'
import { packedIn } from '../src/pack.js'
import { project } from '../src/project.js'

const folder = inject('folder')

it('everything that our packages bring along asks for a notice and nothing more', async () => {
  const packed = await packedIn(folder)
  const app = await project(
    join(folder, 'licences'),
    packed.map(({ tarball }) => tarball),
  )
  expect(await demanding(app.folder)).toEqual([])
})

it('a choice of licences will do, and none, or one that asks for more, will not', () => {
  expect(['MIT', '(MIT OR GPL-3.0)', 'ISC'].every(isPermissive)).toBe(true)
  expect([undefined, 'GPL-3.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN LICENSE'].some(isPermissive)).toBe(false)
})
