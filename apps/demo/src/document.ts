/** One Markdown file of the corpus, as the scan found it. */
export interface Document {
  /** Where it is, relative to the scanned folder, with `/` between the parts. */
  readonly path: string
  /** The package it belongs to, or the folder's name where there is no package. */
  readonly package: string
  /** The package's version; empty where there is none. */
  readonly version: string
  /** Its path inside the package. */
  readonly file: string
  /** SHA-256 of its bytes, base64url: what everything computed from it is keyed by. */
  readonly digest: string
  readonly text: string
}

/** A part of a document under one heading: the unit that is searched. */
export interface Section {
  /** The headings above it, outermost first. */
  readonly headings: readonly string[]
  /** Its paragraphs and list items as plain text. Answers quote these. */
  readonly blocks: readonly string[]
  /** Table cells and code: searched, never quoted. */
  readonly reference: string
}

/** A section and the document that it stands in. */
export interface Chunk extends Section {
  readonly document: Omit<Document, 'text'>
}
