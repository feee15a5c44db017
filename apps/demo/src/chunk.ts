import MarkdownIt, { type Token } from 'markdown-it'
import type { Section } from './document.js'

/** Changes whenever the same Markdown would give other sections, so that kept sections are not mistaken for new ones. */
export const chunkVersion = '1'

const maxCharacters = 1200
const boilerplate =
  /^(licen[cs]e|sponsors?|backers?|contribut\w*|authors?|maintainers?|credits?|thanks|acknowledge?ments?|funding|badges|(table of )?contents?|toc|related( projects)?|support(ing)?( us)?|donate|people|stargazers?|versioning|keywords)$/i

const markdown = new MarkdownIt({ html: true })
const mdx = new MarkdownIt({ html: true }).disable('code') // MDX has no indented code; it indents what is in a component

/**
 * Splits Markdown into sections: what stands under one heading, in pieces of about 1,200 characters. Code and tables go
 * into `reference`; badges, images, link targets, tags and boilerplate sections (licence, sponsors, contributors …) go.
 *
 * @param file The file's name; `.mdx` also loses its imports and components.
 */
export function chunk(text: string, file: string): Section[] {
  const isMdx = /\.mdx$/i.test(file)
  const { meta, body } = splitFrontMatter(text)
  const tokens = (isMdx ? mdx : markdown).parse(withoutTagLines(body, isMdx), {})
  const collector = new Collector(meta)
  let list = 0
  let table = false
  for (const [i, token] of tokens.entries()) {
    switch (token.type) {
      case 'heading_open':
        collector.heading(Number(token.tag.slice(1)), plain(tokens[i + 1]?.children ?? []))
        break
      case 'bullet_list_open':
      case 'ordered_list_open':
        list++
        break
      case 'bullet_list_close':
      case 'ordered_list_close':
        list--
        break
      case 'table_open':
        table = true
        break
      case 'table_close':
        table = false
        break
      case 'fence':
      case 'code_block':
        collector.reference(token.content)
        break
      case 'html_block':
        // What is left of a block of tags can be a sentence in a <p> or a component.
        collector.block(plain(markdown.parseInline(withoutTags(token.content), {})[0]?.children ?? []))
        break
      case 'inline':
        if (tokens[i - 1]?.type === 'heading_open') break
        if (table) collector.reference(plain(token.children ?? []))
        else collector.block(plain(token.children ?? []))
        break
    }
  }
  return collector.finish()
}

/** Gathers blocks under the headings in force, and closes a section when a heading comes or the section is long. */
class Collector {
  readonly #sections: Section[] = []
  #headings: { level: number; text: string }[] = []
  #blocks: string[] = []
  #reference: string[] = []
  #length = 0

  constructor({ title, description }: FrontMatter) {
    if (title !== '') this.#headings.push({ level: 0, text: title })
    if (description !== '') this.block(description)
  }

  heading(level: number, text: string): void {
    this.#close()
    this.#headings = this.#headings.filter((above) => above.level < level)
    if (text !== '') this.#headings.push({ level, text })
  }

  block(text: string): void {
    if (!/\p{L}/u.test(text)) return
    if (this.#length > 0 && this.#length + text.length > maxCharacters) this.#close()
    this.#blocks.push(text)
    this.#length += text.length
  }

  reference(text: string): void {
    this.#reference.push(text.slice(0, maxCharacters))
  }

  finish(): Section[] {
    this.#close()
    return this.#sections
  }

  #close(): void {
    const headings = this.#headings.map(({ text }) => text)
    const empty = this.#blocks.length === 0 && this.#reference.length === 0
    if (!empty && !headings.some((text) => boilerplate.test(text))) {
      this.#sections.push({ headings, blocks: this.#blocks, reference: this.#reference.join('\n') })
    }
    this.#blocks = []
    this.#reference = []
    this.#length = 0
  }
}

interface FrontMatter {
  readonly title: string
  readonly description: string
}

function splitFrontMatter(text: string): { meta: FrontMatter; body: string } {
  const block = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---\r?\n/.exec(text)
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(['"]?)(.*?)\\1[ \\t]*$`, 'm').exec(block?.[1] ?? '')?.[2] ?? ''
  return {
    meta: { title: field('title'), description: field('description') },
    body: block === null ? text : text.slice(block[0].length),
  }
}

/**
 * Blanks the lines that hold one tag and nothing else, and in MDX the imports and exports. In Markdown such a tag opens
 * a block that reaches to the next blank line and takes headings and paragraphs with it.
 */
function withoutTagLines(text: string, isMdx: boolean): string {
  let fence = ''
  return text
    .split(/\r?\n/)
    .map((line) => {
      const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1] ?? ''
      if (fence !== '') {
        if (mark.startsWith(fence) && line.trim() === mark) fence = ''
        return line
      }
      fence = mark
      if (isMdx && /^(import|export)\s.*(from\s+['"]|[;{(]\s*$)/.test(line)) return ''
      return /^\s*<\/?[A-Za-z][^<>]*>\s*$/.test(line) ? '' : line
    })
    .join('\n')
}

function withoutTags(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(-->|$)|<(script|style|svg)[\s\S]*?(<\/\2>|$)|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

function plain(tokens: readonly Token[]): string {
  let text = ''
  for (const token of tokens) {
    if (token.type === 'text' || token.type === 'text_special') text += token.content
    else if (token.type === 'code_inline') text += `\`${token.content}\``
    else if (token.type === 'softbreak' || token.type === 'hardbreak') text += ' '
  }
  return text.replace(/\s+/g, ' ').trim()
}
