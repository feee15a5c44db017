import { gate, settle } from '@flow-cache/core/testing'
import { describe, expect, it } from 'vitest'
import { counting, said, setUp, start } from './set-up.js'

describe('the handler is asked whether a stale response has changed', () => {
  const versioned = (etag: () => string, headers: Record<string, string> = {}) =>
    setUp((request) => {
      const common = { etag: etag(), 'cache-control': 'max-age=60', ...headers }
      return request.headers.get('if-none-match') === etag()
        ? new Response(null, { status: 304, headers: { ...common, 'x-run': '2' } })
        : new Response(`body of ${etag()}`, {
            headers: { ...common, 'x-run': '1', 'content-type': 'text/x' },
          })
    })

  it('and its 304 makes the response fresh anew, with the headers it brings', async () => {
    const { get, seconds, asked } = versioned(() => '"1"')
    await get()
    await seconds(60)
    const again = await get()
    expect([again.status, await again.text(), again.headers.get('x-run')]).toEqual([200, 'body of "1"', '2'])
    expect(again.headers.get('content-type')).toBe('text/x')
    expect(said(again)).toBe('fwd=stale; fwd-status=304; ttl=60; stored')
    await seconds(59)
    expect(said(await get())).toBe('hit; ttl=1')
    expect(asked.length).toBe(2)
  })

  it('and what has changed replaces it', async () => {
    let etag = '"1"'
    const { get, seconds } = versioned(() => etag)
    await get()
    await seconds(60)
    etag = '"2"'
    expect(await (await get()).text()).toBe('body of "2"')
    expect(await (await get()).text()).toBe('body of "2"')
  })

  it('by Last-Modified where there is no ETag', async () => {
    const modified = new Date(start - 5_000).toUTCString()
    const { get, seconds, asked } = setUp(({ headers }) =>
      headers.get('if-modified-since') === modified
        ? new Response(null, { status: 304 })
        : new Response('a', { headers: { 'last-modified': modified, 'cache-control': 'max-age=60' } }),
    )
    await get()
    await seconds(61)
    expect(said(await get())).toBe('fwd=stale; fwd-status=304; ttl=60; stored')
    expect(asked.length).toBe(2)
  })

  it('every time for no-cache, which is kept for that alone', async () => {
    const { get, asked } = versioned(() => '"1"', { 'cache-control': 'no-cache' })
    for (let i = 0; i < 3; i++) expect(await (await get()).text()).toBe('body of "1"')
    expect(asked.map(({ headers }) => headers.get('if-none-match'))).toEqual([null, '"1"', '"1"'])
  })

  it('until revalidateFor is over', async () => {
    const { get, seconds, asked } = versioned(() => '"1"')
    await get()
    await seconds(60 + 3_600)
    await get()
    expect(asked[1]!.headers.has('if-none-match')).toBe(false)
  })

  it('and a 304 about another response is not believed', async () => {
    const { get, seconds, asked } = setUp(({ headers }) =>
      headers.has('if-none-match')
        ? new Response(null, { status: 304, headers: { etag: '"other"' } })
        : new Response('a', { headers: { etag: '"1"', 'cache-control': 'max-age=60' } }),
    )
    await get()
    await seconds(60)
    expect(await (await get()).text()).toBe('a')
    expect(asked.map(({ headers }) => headers.get('if-none-match'))).toEqual([null, '"1"', null])
  })

  it('and a 304 with a cookie, or that is private now, is for the one who asked', async () => {
    for (const late of [{ 'set-cookie': 'id=1' }, { 'cache-control': 'private' }] as Record<
      string,
      string
    >[]) {
      const { get, seconds } = setUp(({ headers }) =>
        headers.has('if-none-match')
          ? new Response(null, { status: 304, headers: { etag: '"1"', ...late } })
          : new Response('a', { headers: { etag: '"1"', 'cache-control': 'max-age=60' } }),
      )
      await get()
      await seconds(60)
      const first = await get()
      expect([await first.text(), first.headers.get('set-cookie')]).toEqual(['a', late['set-cookie'] ?? null])
      const second = await get()
      expect(said(second)).toBe('fwd=uri-miss; ttl=60; stored')
      expect(second.headers.get('set-cookie')).toBe(null)
    }
  })
})

describe('a client that has it already', () => {
  const headers = {
    'cache-control': 'max-age=60',
    etag: 'W/"1"',
    'last-modified': new Date(start).toUTCString(),
  }

  it.each([
    ['its ETag', { 'if-none-match': 'W/"1"' }],
    ['the same strong ETag', { 'if-none-match': '"1"' }],
    ['a list with it', { 'if-none-match': '"0", W/"1"' }],
    ['a star', { 'if-none-match': '*' }],
    ['its date', { 'if-modified-since': new Date(start).toUTCString() }],
  ] as [string, Record<string, string>][])(
    'gets a 304 for %s, from the handler’s response and from the kept one',
    async (_, condition) => {
      const { get, asked } = setUp(counting(headers))
      for (let i = 0; i < 2; i++) {
        const response = await get(condition)
        expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([
          304,
          '',
          'W/"1"',
        ])
      }
      // The cache asks for the whole: others have nothing yet.
      expect(asked.map(({ headers }) => Object.fromEntries(headers))).toEqual([{}])
      expect(await (await get()).text()).toBe('call 1')
    },
  )

  it.each([
    ['another ETag', { 'if-none-match': '"2"' }],
    [
      'another ETag beside its date',
      { 'if-none-match': '"2"', 'if-modified-since': new Date(start).toUTCString() },
    ],
    ['an older date', { 'if-modified-since': new Date(start - 1_000).toUTCString() }],
    ['no date', { 'if-modified-since': 'soon' }],
  ] as [string, Record<string, string>][])('gets the whole for %s', async (_, condition) => {
    const { get } = setUp(counting(headers))
    for (let i = 0; i < 2; i++) expect((await get(condition)).status).toBe(200)
  })
})

describe('what a client asks of caches', () => {
  const headers = { 'cache-control': 'max-age=60', etag: '"1"' }

  it.each([
    ['no-cache', { 'cache-control': 'no-cache' }],
    ['Pragma', { pragma: 'no-cache' }],
    ['max-age', { 'cache-control': 'max-age=5' }],
    ['min-fresh', { 'cache-control': 'min-fresh=55' }],
  ] as [string, Record<string, string>][])(
    '%s has the handler asked, and the answer kept',
    async (_, request) => {
      const { get, asked, seconds } = setUp(counting(headers))
      await get()
      await seconds(10)
      const response = await get(request)
      expect([await response.text(), said(response)]).toEqual(['call 2', 'fwd=request; ttl=60; stored'])
      expect(await (await get()).text()).toBe('call 2')
      expect(asked[1]!.headers.get('if-none-match')).toBe('"1"')
    },
  )

  it('counts for nothing with obeyRequests: false', async () => {
    const { get, asked, seconds } = setUp(counting(headers), { obeyRequests: false })
    await get()
    await seconds(10)
    await get({ 'cache-control': 'no-cache' })
    await get({ 'cache-control': 'max-age=0' })
    expect(asked.length).toBe(1)
  })

  it('only-if-cached is answered from what there is, or with 504, and never asks', async () => {
    const { get, asked, seconds } = setUp(
      counting({ 'cache-control': 'max-age=60, stale-while-revalidate=60' }),
    )
    const only = { 'cache-control': 'only-if-cached' }
    expect((await get(only)).status).toBe(504)
    await get()
    expect((await get(only)).status).toBe(200)
    await seconds(61)
    expect((await get(only)).status).toBe(504)
    expect(asked.length).toBe(1)
  })
})

describe('stale-while-revalidate', () => {
  it('answers at once and asks behind, once for all', async () => {
    const held = gate()
    let calls = 0
    const work: Promise<unknown>[] = []
    const { get, seconds } = setUp(
      async () => {
        if (++calls > 1) await held.wait()
        return new Response(`call ${calls}`, {
          headers: { 'cache-control': 'max-age=60, stale-while-revalidate=30' },
        })
      },
      { waitUntil: (one) => work.push(one) },
    )
    await get()
    await seconds(70)
    for (let i = 0; i < 5; i++) {
      const response = await get()
      expect([await response.text(), said(response), response.headers.get('age')]).toEqual([
        'call 1',
        'hit; ttl=-10',
        '70',
      ])
    }
    held.open()
    await Promise.all(work)
    expect([calls, await (await get()).text()]).toEqual([2, 'call 2'])
  })

  it('is over when its time is, and does not hold for must-revalidate', async () => {
    for (const [more, wait] of [
      ['', 90],
      [', must-revalidate', 61],
    ] as const) {
      const { get, seconds } = setUp(
        counting({ 'cache-control': `max-age=60, stale-while-revalidate=30${more}` }),
      )
      await get()
      await seconds(wait)
      expect(await (await get()).text()).toBe('call 2')
    }
  })

  it('leaves a failing handler alone for ten seconds at a time', async () => {
    let calls = 0
    const { get, seconds } = setUp(() => {
      if (++calls > 1) throw new Error('down')
      return new Response('a', { headers: { 'cache-control': 'max-age=60, stale-while-revalidate=600' } })
    })
    await get()
    await seconds(70)
    for (let i = 0; i < 5; i++) {
      expect(await (await get()).text()).toBe('a')
      await settle()
    }
    expect(calls).toBe(2)
    await seconds(10)
    await get()
    await settle()
    expect(calls).toBe(3)
  })
})

describe('stale-if-error', () => {
  const failing = (how: () => Response) => {
    let calls = 0
    const kept = { 'cache-control': 'max-age=60, stale-if-error=600' }
    return setUp(() => (++calls > 1 ? how() : new Response('a', { headers: kept })))
  }

  it.each([
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['answers 503', () => new Response('down', { status: 503 })],
  ] as [string, () => Response][])(
    'serves what is stale where the handler %s, and leaves it alone for a while',
    async (_, how) => {
      const { get, seconds, asked } = failing(how)
      await get()
      await seconds(100)
      for (let i = 0; i < 3; i++) {
        const response = await get()
        expect([await response.text(), said(response)]).toEqual(['a', 'hit; ttl=-40; detail=handler-failed'])
      }
      expect(asked.length).toBe(2)
    },
  )

  it('ends with its time: then the failure is the answer', async () => {
    const { get, seconds } = failing(() => new Response('down', { status: 503 }))
    await get()
    await seconds(660)
    expect((await get()).status).toBe(503)
    const thrown = failing(() => {
      throw new Error('down')
    })
    await thrown.get()
    await thrown.seconds(660)
    await expect(thrown.get()).rejects.toThrow('down')
  })
})
