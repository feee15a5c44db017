import { fileURLToPath } from 'node:url'
import { buildIndex, type SearchIndex } from '../src/build-index.js'
import { chunk } from '../src/chunk.js'
import type { Chunk } from '../src/document.js'
import { scan } from '../src/scan.js'

/** The documentation of a library that does not exist, with the usual clutter. */
export const handbook: string = fileURLToPath(new URL('fixtures/handbook', import.meta.url))

export async function handbookChunks(): Promise<Chunk[]> {
  const { documents } = await scan(handbook)
  const chunks: Chunk[] = []
  for (const { text, ...document } of documents) {
    for (const section of chunk(text, document.file)) chunks.push({ ...section, document })
  }
  return chunks
}

export async function handbookIndex(): Promise<SearchIndex> {
  return buildIndex(await handbookChunks(), { dimensions: 16, seed: 1 })
}
