import { describe, expect, it } from 'vitest'
import { terms } from '../src/words.js'

describe('terms', () => {
  it('all forms of a word are one term', () => {
    expect(new Set(terms('caching cached caches cache')).size).toBe(1)
  })

  it('a compound counts as a whole and in its parts', () => {
    expect(terms('lru-cache')).toEqual(['lru-cache', 'lru', 'cach'])
    expect(terms('maxSize')).toEqual(['maxsize', 'max', 'size'])
    expect(terms('turbo.json')).toEqual(['turbo.json', 'turbo', 'json'])
    expect(terms('XMLHttpRequest')).toEqual(['xmlhttprequest', 'xml', 'http', 'request'])
  })

  it('stop words, numbers and commit hashes tell nothing', () => {
    expect(terms('How do I use the 42 of 3.14 in 0a1b2c3d4e?')).toEqual([])
  })

  it('words of other alphabets are words', () => {
    expect(terms('Größe кэш')).toHaveLength(2)
  })
})
