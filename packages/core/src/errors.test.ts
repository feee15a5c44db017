import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CacheError, CacheKeyError, errorCodes } from './errors.js'

describe('CacheError', () => {
  it('is an Error with a code and a message', () => {
    const error = new CacheError('ERR_CLOSED', 'the cache is closed')
    expect(error).toBeInstanceOf(Error)
    expect(error.code).toBe('ERR_CLOSED')
    expect(error.message).toBe('the cache is closed')
  })

  it('has its name in the stack and in the console', () => {
    const error = new CacheError('ERR_STORE', 'no')
    expect(error.name).toBe('CacheError')
    expect(error.stack).toMatch(/^CacheError: no\n/)
    expect(inspect(error)).toMatch(/^CacheError: no\n/)
    expect(inspect(error)).toContain("code: 'ERR_STORE'")
  })

  it('keeps the cause it wraps and the key it is about', () => {
    const cause = new Error('refused')
    const error = new CacheError('ERR_STORE', 'the store failed', { cause, key: 'user:1' })
    expect(error.cause).toBe(cause)
    expect(error.key).toBe('user:1')
  })

  it('has neither of the two properties when it was given neither', () => {
    expect(Object.keys(new CacheError('ERR_STORE', 'no'))).toEqual(['code'])
    expect('cause' in new CacheError('ERR_STORE', 'no', { key: 'a' })).toBe(false)
    expect('key' in new CacheError('ERR_STORE', 'no', { key: undefined })).toBe(false)
  })

  it('keeps a cause that is undefined, as Error does', () => {
    expect('cause' in new CacheError('ERR_STORE', 'no', { cause: undefined })).toBe(true)
  })
})

describe('CacheKeyError', () => {
  it('is a CacheError with the code ERR_KEY and a path', () => {
    const error = new CacheKeyError('$.input.client[3]', 'no')
    expect(error).toBeInstanceOf(CacheError)
    expect(error.code).toBe('ERR_KEY')
    expect(error.path).toBe('$.input.client[3]')
    expect(error.name).toBe('CacheKeyError')
    expect(error.stack).toMatch(/^CacheKeyError: no\n/)
  })
})

describe('errorCodes', () => {
  it('explains every code in one sentence', () => {
    for (const [code, meaning] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^ERR_[A-Z_]+$/)
      expect(meaning).toMatch(/^[A-Z`].*[^.]\.$/)
    }
  })

  it('has the codes that programs rely on', () => {
    expect(Object.keys(errorCodes)).toEqual([
      'ERR_KEY',
      'ERR_VALUE',
      'ERR_LOAD_TIMEOUT',
      'ERR_TIMEOUT',
      'ERR_STORE_TIMEOUT',
      'ERR_STORE',
      'ERR_STORE_FULL',
      'ERR_SHARD',
      'ERR_CIRCUIT_OPEN',
      'ERR_POISONED',
      'ERR_CLOSED',
      'ERR_RECURSION',
      'ERR_TOO_MANY_LOADS',
      'ERR_SCHEMA',
      'ERR_UNSUPPORTED',
      'ERR_LOADER_RESULT',
      'ERR_FULL',
      'ERR_JOURNAL',
      'ERR_JOURNAL_IN_USE',
      'ERR_SNAPSHOT',
      'ERR_JOURNAL_DAMAGED',
    ])
  })
})
