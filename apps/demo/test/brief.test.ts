import { describe, expect, it } from 'vitest'
import { type Brief, writeBrief } from '../src/brief.js'
import { lookUp, readQuestion } from '../src/question.js'
import { rerank } from '../src/rerank.js'
import { retrieve } from '../src/retrieve.js'
import { handbookIndex } from './handbook.js'

const index = await handbookIndex()

async function brief(question: string, sentences = 4): Promise<Brief> {
  const query = lookUp(readQuestion(question), index)
  return writeBrief(index, query, rerank(index, query, retrieve(index, query, 100), 50), sentences)
}

describe('writeBrief', () => {
  it('quotes the sentences that answer', async () => {
    const { sentences } = await brief('How long is the pause between retries?')
    expect(sentences.map(({ text }) => text)).toContain(
      'The pause doubles with every attempt, starting at one second, and never exceeds `maxPause`.',
    )
  })

  it('every sentence stands word for word in the source it names', async () => {
    const { sentences, sources } = await brief('What happens to dead letters?')
    for (const { text, source } of sentences) {
      const { file, headings } = sources[source - 1]!
      const passages = index.chunks.filter(
        (chunk) => chunk.document.file === file && chunk.headings.join() === headings.join(),
      )
      expect(passages.flatMap(({ blocks }) => blocks).join(' ')).toContain(text)
    }
  })

  it('sources are numbered in the order they are quoted, and each is used', async () => {
    const { sentences, sources } = await brief('How are jobs stored and repeated?', 6)
    const order = [...new Set(sentences.map(({ source }) => source))]
    expect(order).toEqual(sources.map((_, i) => i + 1))
  })

  it('a definition is preferred when one is asked for', async () => {
    const { sentences } = await brief('What is ferry?', 1)
    expect(sentences[0]?.text).toBe('Ferry is a job queue that keeps its jobs in the file system.')
  })

  it('never says the same twice', async () => {
    const { sentences } = await brief('jobs', 12)
    expect(new Set(sentences.map(({ text }) => text)).size).toBe(sentences.length)
  })

  it('has at most as many sentences as asked for', async () => {
    expect((await brief('job folder', 1)).sentences).toHaveLength(1)
  })

  it('tells when little is written about the question', async () => {
    const known = await brief('How does a rename stay atomic?')
    const unknown = await brief('What is the atomic weight of plutonium and uranium?')
    expect(unknown.coverage).toBeLessThan(0.5)
    expect(known.coverage).toBeGreaterThan(unknown.coverage)
  })

  it('the same question gives the same brief', async () => {
    expect(await brief('recurring jobs')).toEqual(await brief('recurring jobs'))
  })
})
