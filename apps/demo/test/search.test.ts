import { describe, expect, it } from 'vitest'
import { buildIndex } from '../src/build-index.js'
import { lookUp, readQuestion } from '../src/question.js'
import { rerank } from '../src/rerank.js'
import { retrieve } from '../src/retrieve.js'
import { handbookChunks, handbookIndex } from './handbook.js'

const index = await handbookIndex()

function headingsFor(question: string): string[] {
  const query = lookUp(readQuestion(question), index)
  const hits = rerank(index, query, retrieve(index, query, 100), 10)
  return hits.map(({ chunk }) => index.chunks[chunk]!.headings.at(-1) ?? '')
}

describe('retrieve and rerank', () => {
  it.each([
    ['How often is a job retried?', 'Retries'],
    ['How do I repeat a job at an interval?', 'Recurring jobs'],
    ['Is a write atomic?', 'Durability'],
    ['What does maxPause mean?', 'Retries'],
    ['Can I use a cron expression?', 'Cron expressions'],
    ['How do I test without waiting?', 'Testing'],
  ])('%s is answered under %s', (question, heading) => {
    expect(headingsFor(question)[0]).toBe(heading)
  })

  it('a change log stands behind documentation that says the same', () => {
    const headings = headingsFor('retry pause attempts')
    expect(headings.indexOf('Retries')).toBeLessThan(headings.indexOf('1.1.0'))
  })

  it('words in tables and code are found', () => {
    expect(headingsFor('maximum 60000 longest')).toContain('Options')
  })

  it('a question without a known word finds nothing', () => {
    const query = lookUp(readQuestion('zebra xylophone'), index)
    expect(query).toMatchObject({ termIds: [], coverage: 0 })
    expect(rerank(index, query, retrieve(index, query, 10), 10)).toEqual([])
  })

  it('reranking also takes in what means the same in other words', () => {
    const query = lookUp(readQuestion('clock'), index)
    const hits = retrieve(index, query, 100)
    expect(rerank(index, query, hits, 100).length).toBeGreaterThan(hits.length)
  })
})

describe('buildIndex', () => {
  it('the same chunks give the same index', async () => {
    expect(await handbookIndex()).toEqual(index)
  })

  it('pauses between batches and stops when the pace throws', async () => {
    const chunks = await handbookChunks()
    const stop = new Error('enough')
    await expect(buildIndex(chunks, { dimensions: 4, seed: 1 }, () => Promise.reject(stop))).rejects.toBe(
      stop,
    )
  })

  it('holds plain data that any store can keep', () => {
    expect(structuredClone(index)).toEqual(index)
  })
})
