import { describe, expect, it } from 'vitest'
import { chunk } from '../src/chunk.js'

describe('chunk', () => {
  it('a section knows the headings above it, outermost first', () => {
    const sections = chunk('# A\n\none\n\n## B\n\ntwo\n\n### C\n\nthree\n\n## D\n\nfour', 'a.md')
    expect(sections.map(({ headings }) => headings)).toEqual([['A'], ['A', 'B'], ['A', 'B', 'C'], ['A', 'D']])
  })

  it('what is quoted has no badges, images, link targets or emphasis, and keeps its code spans', () => {
    const [section] = chunk(
      '[![badge](https://x.test/b.svg)](https://x.test) Use **the** [`max`](#max) option ![x](y.png)_wisely_.',
      'a.md',
    )
    expect(section?.blocks).toEqual(['Use the `max` option wisely.'])
  })

  it('code and tables are searched and not quoted', () => {
    const [section] = chunk('Text.\n\n```js\nlet hidden\n```\n\n| a | b |\n| - | - |\n| cell | x |', 'a.md')
    expect(section?.blocks).toEqual(['Text.'])
    expect(section?.reference).toContain('let hidden')
    expect(section?.reference).toContain('cell')
  })

  it('every list item is a block of its own', () => {
    const [section] = chunk('- one\n- two\n  - three', 'a.md')
    expect(section?.blocks).toEqual(['one', 'two', 'three'])
  })

  it('licence, sponsors and contributors are left out', () => {
    expect(chunk('## License\n\nMIT\n\n## Sponsors\n\nUs\n\n### Gold\n\nThem', 'a.md')).toEqual([])
  })

  it('a long section becomes several', () => {
    const paragraph = `${'word '.repeat(100).trim()}.`
    const sections = chunk(`# A\n\n${Array(6).fill(paragraph).join('\n\n')}`, 'a.md')
    expect(sections.length).toBeGreaterThan(2)
    expect(sections.every(({ headings }) => headings[0] === 'A')).toBe(true)
  })

  it('front matter gives the title and the first sentence', () => {
    const [section] = chunk(
      '---\ntitle: "Tasks"\ndescription: What tasks are.\nother: x\n---\n\nMore.',
      'a.md',
    )
    expect(section).toMatchObject({ headings: ['Tasks'], blocks: ['What tasks are.', 'More.'] })
  })

  it('MDX loses imports and components, and keeps what is in them', () => {
    const text = [
      "import { Note } from './note'",
      '',
      '<Note kind="x">',
      '    Inside a note.',
      '</Note>',
      '',
      '<Step>',
      '### Heading in a step',
      'Text in a step.',
      '</Step>',
    ].join('\n')
    const sections = chunk(text, 'a.mdx')
    expect(sections.map(({ blocks }) => blocks)).toEqual([['Inside a note.'], ['Text in a step.']])
    expect(sections[1]?.headings).toEqual(['Heading in a step'])
  })

  it('a tag alone on a line in a code block stays', () => {
    const [section] = chunk('```html\n<div>\n```', 'a.md')
    expect(section?.reference).toContain('<div>')
  })

  it('HTML comments and scripts are gone, sentences between tags stay', () => {
    const [section] = chunk(
      '<p align="center">A sentence in HTML.</p>\n\n<!-- a comment -->\n\n<script>x()</script>',
      'a.md',
    )
    expect(section?.blocks).toEqual(['A sentence in HTML.'])
  })

  it('an empty document has no sections', () => {
    expect(chunk('', 'a.md')).toEqual([])
  })
})
