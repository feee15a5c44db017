import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../src/pages.js'
import { codesOf, interfacesOf, readSources, variantsOf } from '../src/sources.js'
import { rowsOf } from '../src/tables.js'

const sources = await readSources()
const read = (file: string) => readFile(join(root, file), 'utf8')

describe('docs/errors.md', async () => {
  const rows = rowsOf(await read('docs/errors.md'))
  const listed = rows.flatMap(({ cells }) => cells[0]!.code).filter((code) => code.startsWith('ERR_'))

  it('lists every code there is in the sources, once, and no other', () => {
    expect(listed.toSorted()).toEqual([...new Set(sources.flatMap(codesOf))].toSorted())
  })

  it('says of every code what to do', () => {
    for (const { cells } of rows.filter(({ cells }) => cells[0]!.text.startsWith('`ERR_'))) {
      expect(
        cells.map(({ text }) => text.length > 5),
        cells[0]!.text,
      ).toEqual([true, true, true])
    }
  })
})

describe('docs/events.md', async () => {
  const rows = rowsOf(await read('docs/events.md'))

  /** The names of events in the tables under a heading, with the names that stand beside each. */
  const listed = (heading: string) =>
    new Map(
      rows
        .filter((row) => row.heading === heading)
        .flatMap(({ cells }) => cells[0]!.code.map((name) => [name, cells[1]!.code.toSorted()] as const)),
    )

  it.each([
    { heading: 'Every event', folder: 'packages/core', name: 'CacheEvents', common: 'KeyEvent' },
    {
      heading: 'Write-behind',
      folder: 'packages/strategies',
      name: 'WriteBehindEvents',
      common: 'WriteEvent',
    },
  ])('lists every event of $name with its fields', ({ heading, folder, name, common }) => {
    const all = sources.find((source) => source.folder === folder)!.files.flatMap(interfacesOf)
    const events = all.find((one) => one.name === name)!.members
    const fieldsOf = (type: string): string[] => {
      const [, other] = /^ (\w+)\s*$/.exec(type) ?? []
      if (other !== undefined && other !== common)
        return [...all.find((one) => one.name === other)!.members.keys()]
      return [...type.matchAll(/readonly (\w+)\??:/g)].map(([, field]) => field!)
    }
    const told = new Map([...events].map(([event, type]) => [event, fieldsOf(type).toSorted()]))
    expect(told.size).toBeGreaterThan(5)
    expect(listed(heading)).toEqual(told)
  })

  it.each([
    { heading: 'A cached node', name: 'StepEvent' },
    { heading: 'A workflow', name: 'WorkflowEvent' },
  ])('lists every variant of $name with its fields', ({ heading, name }) => {
    const found = sources
      .flatMap(({ files }) => files.map((file) => variantsOf(file, name)))
      .find(({ size }) => size > 0)
    const told = new Map([...found!].map(([type, fields]) => [type, fields.toSorted()]))
    expect(listed(heading)).toEqual(told)
  })

  it('lists every counter of a cache', () => {
    const stats = sources
      .flatMap(({ files }) => files.flatMap(interfacesOf))
      .find(({ name }) => name === 'CacheStats')
    const counters = rows
      .filter((row) => row.heading === 'Every counter')
      .flatMap(({ cells }) => cells[0]!.code)
    expect(counters.toSorted()).toEqual([...stats!.members.keys()].toSorted())
  })
})

describe('what is read from sources', () => {
  it('are interfaces with their own members', () => {
    const file = `
/** One. */
export interface One<T> extends Two {
  /** How much: \`readonly no\`. */
  readonly much?: number | undefined
  readonly deep?: {
    readonly inner: string
  }
  call(key: string): void
}
`
    const [one] = interfacesOf(file)
    expect(one!.name).toBe('One')
    expect([...one!.members.keys()]).toEqual(['much', 'deep', 'call'])
  })
})
