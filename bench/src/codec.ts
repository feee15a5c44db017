import { isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { jsonCodec, plainCodec } from '@flow-cache/core/codec'
import type { Asked, Figures, Question, Round } from './question.js'
import { number, type Section, times } from './report.js'
import { alone, ratio, summary } from './rounds.js'
import { nanoseconds } from './timing.js'

/** A way to make bytes of a value and a value of the bytes. */
interface Rival {
  readonly label: string
  readonly encode: (value: unknown) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

const rivals = {
  json: {
    label: '`JSON`',
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(bytes.toString()),
  },
  v8: { label: '`v8.serialize`', encode: serialize, decode: deserialize },
  plain: {
    label: '**flow-cache** `plainCodec`, the default',
    encode: (value) => plainCodec.encode(value, 'k'),
    decode: (bytes) => plainCodec.decode(bytes, 'k'),
  },
  'flow-json': {
    label: '**flow-cache** `jsonCodec`',
    encode: (value) => jsonCodec.encode(value, 'k'),
    decode: (bytes) => jsonCodec.decode(bytes, 'k'),
  },
} satisfies Record<string, Rival>
type Name = keyof typeof rivals
const names = Object.keys(rivals) as readonly Name[]

const record = (i: number): object => ({
  id: i,
  name: `User ${i}`,
  email: `user${i}@example.com`,
  active: i % 3 === 0,
  score: i * 1.25,
  tags: ['reader', 'editor'],
  address: { city: 'Zürich', zip: `${8000 + (i % 100)}` },
})
const list = (count: number): readonly object[] => Array.from({ length: count }, (_, i) => record(i))
const tree = (depth: number): object =>
  depth === 0 ? { leaf: true } : { depth, left: tree(depth - 1), right: tree(depth - 1) }

/** What is turned into bytes, and whether JSON can give it back. */
const values: Readonly<Record<string, { readonly value: unknown; readonly isJson: boolean }>> = {
  'small: an object, 300 B': {
    value: { ...record(1), bio: 'A reader of books and a writer of letters. '.repeat(3) },
    isJson: true,
  },
  'text: 10 kB': {
    value: {
      id: 7,
      paragraphs: Array.from({ length: 20 }, (_, i) => `${i} ${'lorem ipsum dolor '.repeat(26)}`),
    },
    isJson: true,
  },
  'large: 6,200 records, 1 MB': { value: list(6_200), isJson: true },
  'nested: a tree of ten levels': { value: tree(10), isJson: true },
  '1,536 fractions': { value: Array.from({ length: 1_536 }, (_, i) => Math.sin(i)), isJson: true },
  'dates, maps and sets': {
    value: {
      at: new Date(1e12),
      users: new Map(Array.from({ length: 20 }, (_, i) => [i, { ...record(i), at: new Date(i) }])),
      seen: new Set([1, 2, 3]),
    },
    isJson: false,
  },
  'binary: 64 kB': { value: new Uint8Array(65_536).fill(7), isJson: false },
}

/** What turning values into bytes and back costs. */
export const codec: Question<Name> = {
  text: 'What does it cost to make bytes of a value and a value of bytes, and how many bytes is that? Beside `JSON`, or beside `v8.serialize` where JSON gives back something else. Each codec in a process of its own.',

  async ask({ rounds, takesPart }: Asked): Promise<readonly Section[]> {
    const asked = names.filter((name) => name === 'json' || name === 'v8' || takesPart(name))
    const results = await alone({ question: 'codec', names: asked, parameters: undefined }, rounds)
    return Object.entries(values).map(([title, { isJson }]) => {
      const reference = isJson ? 'json' : 'v8'
      const able = asked.filter((name) => results[0]![name]![`${title} bytes`] !== undefined)
      const micros = (name: Name, figure: string): string =>
        `${number(summary(results, name, `${title} ${figure}`).min / 1000)} µs`
      return {
        title,
        head: ['', 'encode', 'time', 'decode', 'time', 'bytes'],
        rows: able.map((name) => [
          rivals[name].label,
          times(ratio(results, name, reference, `${title} encode`)),
          micros(name, 'encode'),
          times(ratio(results, name, reference, `${title} decode`)),
          micros(name, 'decode'),
          summary(results, name, `${title} bytes`).median.toLocaleString('en'),
        ]),
        note: `As a multiple of ${rivals[reference].label}: the median of ${rounds} rounds, in brackets the least and the greatest. Times: the least of them.`,
      }
    })
  },

  async measure(wanted): Promise<Round> {
    const round: Record<string, Figures> = {}
    for (const name of wanted) round[name] = await measured(rivals[name])
    return round
  },
}

async function measured({ encode, decode }: Rival): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const [title, { value }] of Object.entries(values)) {
    const bytes = encodedBy({ encode, decode }, value)
    // It cannot, or gives back something else.
    if (bytes === undefined) continue
    figures[`${title} bytes`] = bytes.length
    figures[`${title} encode`] = await nanoseconds((often) => {
      for (let i = 0; i < often; i++) encode(value)
    })
    figures[`${title} decode`] = await nanoseconds((often) => {
      for (let i = 0; i < often; i++) decode(bytes)
    })
  }
  return figures
}

function encodedBy({ encode, decode }: Omit<Rival, 'label'>, value: unknown): Uint8Array | undefined {
  try {
    const bytes = encode(value)
    return isDeepStrictEqual(decode(bytes), value) ? bytes : undefined
  } catch {
    return undefined
  }
}
