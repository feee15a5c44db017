import MarkdownIt from 'markdown-it'

/** A row of a table: its cells, and what in each of them is code. */
export interface Row {
  /** The heading above the table. */
  readonly heading: string
  readonly cells: readonly Cell[]
}

export interface Cell {
  readonly text: string
  readonly code: readonly string[]
}

const markdown = new MarkdownIt({ html: true })

/** The rows of every table, headings of columns left out. */
export function rowsOf(text: string): readonly Row[] {
  const rows: { heading: string; cells: Cell[] }[] = []
  let heading = ''
  const tokens = markdown.parse(text, {})
  for (const [i, { type, content, children }] of tokens.entries()) {
    if (type === 'heading_open') heading = tokens[i + 1]!.content
    if (type === 'tr_open') rows.push({ heading, cells: [] })
    if (type === 'inline' && tokens[i - 1]!.type === 'td_open')
      rows.at(-1)!.cells.push({ text: content, code: codeOf(children) })
  }
  return rows.filter(({ cells }) => cells.length > 0)
}

/** Everything in a text that is code in a line. */
export const codeIn = (text: string): readonly string[] =>
  markdown.parse(text, {}).flatMap(({ children }) => codeOf(children))

const codeOf = (children: readonly { type: string; content: string }[] | null): readonly string[] =>
  (children ?? []).filter(({ type }) => type === 'code_inline').map(({ content }) => content)
