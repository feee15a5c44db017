import { describe, expect, it } from 'vitest'
import type { Document } from '../src/document.js'
import { sampleQuestions } from '../src/sample-questions.js'

describe('sampleQuestions', () => {
  it('asks about packages that are there', () => {
    const questions = sampleQuestions([document('ioredis', 'x'), document('lru-cache', 'y')], 2)
    expect(questions[0]).toMatch(/lru-cache/)
    expect(questions[1]).toMatch(/ioredis/)
  })

  it('asks about the titles of the longest documents where it knows no package', () => {
    const documents = [
      document('a', '# Short\n\nx'),
      document('b', '---\ntitle: "Much longer"\n---\n\nmore and more text'),
      document('c', '# [![badge](x)](y)\n\nand some more text to be longer than all the others are'),
    ]
    expect(sampleQuestions(documents)).toEqual([
      'What is c about?',
      'What is Much longer about?',
      'What is Short about?',
    ])
  })
})

function document(name: string, text: string): Document {
  return { package: name, version: '1.0.0', file: 'README.md', path: `${name}/README.md`, digest: name, text }
}
