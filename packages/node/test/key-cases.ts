import type { Cache } from '@flow-cache/core'
import type * as NodePackage from '@flow-cache/node'

/**
 * Keys of calls of all kinds, by name. It uses nothing but what it is given, so that its text can run in a process of
 * its own.
 */
export async function keysOf(
  { cacheFn, cacheNode, defineNode }: typeof NodePackage,
  cache: Cache,
): Promise<Record<string, string>> {
  type Asked = { node?: object; options?: object; context?: object }
  const key = async (input: unknown, { node = {}, options = {}, context = {} }: Asked = {}) => {
    const inner = defineNode('n', () => 0, { version: '1', ...node })
    return (await cacheNode(inner, { cache, scope: 'global', ...options }).explain(input, context)).key
  }
  const message = { role: 'user', content: 'Wie geht’s? 👋\n"quoted" \\ and \u001f' }
  return {
    undefined: await key(undefined),
    null: await key(null),
    'an empty object': await key({}),
    'an empty list': await key([]),
    'zero, of either sign': await key(-0),
    numbers: await key([1, -1.5, 1e21, 1e-7, 5e-324, Number.MAX_SAFE_INTEGER]),
    messages: await key({ model: 'm', messages: [message, message], temperature: 0 }),
    'names in another order': await key({ temperature: 0, messages: [message, message], model: 'm' }),
    'a bigint': await key(2n ** 64n),
    'a date': await key(new Date(Date.UTC(2026, 10, 23))),
    bytes: await key(new Uint8Array([0, 127, 255])),
    'a map and a set': await key([
      new Map([
        ['b', 1],
        ['a', 2],
      ]),
      new Set(['y', 'x']),
    ]),
    'an address and a pattern': await key([new URL('https://example.com/a?b=c#d'), /a+b/giu]),
    'names that look like tags': await key({ $date: '2026-11-23T00:00:00.000Z', $$map: [] }),
    'a type, a version and a config': await key(1, {
      node: { type: 'llm', version: '2026-11', config: { model: 'm', tools: [{ name: 't' }] } },
    }),
    'a workflow': await key(1, { context: { workflowId: 'flow' } }),
    'a scope': await key(1, { options: { scope: { tenant: 'acme', seats: 5, trial: false } } }),
    variables: await key(1, {
      options: { reads: ['locale', 'missing'] },
      context: { variables: { locale: 'de', other: 1 } },
    }),
    'picked fields': await key({ q: 'a', trace: 'x' }, { options: { key: { pick: ['q'] } } }),
    'a namespace': await key(1, { context: { cache: { namespace: 'preview' } } }),
    'a secret': await key(1, { options: { keySecret: 'not a good one' } }),
    'a function': cacheFn((a: number, b: string) => `${a}${b}`, {
      cache,
      name: 'f',
      scope: 'global',
      version: '1',
    }).keyFor(1, 'b'),
  }
}
