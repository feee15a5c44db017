import { describe, expect, it } from 'vitest'
import { leadTo, placeOf } from '../src/places.js'
import { publicEntries } from '../src/reference.js'
import { itemsOf } from '../src/sidebar.js'

describe('placeOf', () => {
  it('makes the README of a folder its index, and that of the repository the page to start with', () => {
    expect(placeOf('README.md')).toBe('start.md')
    expect(placeOf('docs/README.md')).toBe('docs/index.md')
    expect(placeOf('packages/core/README.md')).toBe('packages/core/index.md')
    expect(placeOf('docs/stampede.md')).toBe('docs/stampede.md')
  })

  it('puts what stands in this package at the top', () => {
    expect(placeOf('tools/site/index.md')).toBe('index.md')
    expect(placeOf('tools/site/reference/@flow-cache/core.md')).toBe('reference/@flow-cache/core.md')
  })
})

describe('leadTo', () => {
  const page = 'packages/core/README.md'

  it('stays on the site where there is a page', () => {
    expect(leadTo('../../docs/outages.md#the-store-fails', page)).toBe('/docs/outages.md#the-store-fails')
    expect(leadTo('../memory/README.md', page)).toBe('/packages/memory/index.md')
    expect(leadTo('../../README.md', page)).toBe('/start.md')
  })

  it('goes to the repository for files and folders that are none', () => {
    const main = 'https://github.com/flow-cache/flow-cache'
    expect(leadTo('src/store.ts', page)).toBe(`${main}/blob/main/packages/core/src/store.ts`)
    expect(leadTo('../../LICENSE', page)).toBe(`${main}/blob/main/LICENSE`)
    expect(leadTo('../multilevel/test/faults', page)).toBe(
      `${main}/tree/main/packages/multilevel/test/faults`,
    )
    expect(leadTo('../../bench/results/hit.md', page)).toBe(`${main}/blob/main/bench/results/hit.md`)
  })

  it('leaves other addresses and places on the page as they are', () => {
    expect(leadTo('https://example.com/a.md', page)).toBe('https://example.com/a.md')
    expect(leadTo('#options', page)).toBe('#options')
  })

  it('refuses what is not there', () => {
    expect(() => leadTo('src/nothing.ts', page)).toThrow('ENOENT')
  })
})

describe('itemsOf', () => {
  it('takes the first link of each row, under the heading above it', () => {
    const markdown = [
      '# Documentation',
      '## When it hurts',
      '| your problem | page |',
      '| --- | --- |',
      '| Redis is down | [When something fails](outages.md), [more](errors.md) |',
      '## Decisions',
      '| [0001](decisions/0001-toolchain.md) | Which tools? |',
    ]
    expect(itemsOf(markdown.join('\n'), 'docs/README.md')).toEqual([
      { text: 'When it hurts', items: [{ text: 'When something fails', link: '/docs/outages.md' }] },
      {
        text: 'Decisions',
        items: [{ text: '0001 Which tools?', link: '/docs/decisions/0001-toolchain.md' }],
      },
    ])
  })
})

describe('publicEntries', () => {
  it('are what the packages export, and nothing else', async () => {
    const entries = await publicEntries()
    expect(entries).toContainEqual({ name: '@flow-cache/core', source: 'packages/core/src/index.ts' })
    expect(entries).toContainEqual({
      name: '@flow-cache/core/testing',
      source: 'packages/core/src/testing/index.ts',
    })
    expect(entries.map(({ name }) => name)).not.toContain('@flow-cache/core/package.json')
  })
})
