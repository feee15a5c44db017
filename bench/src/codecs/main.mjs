/*
 * What do encoding and decoding a value cost, beside JSON, and how many bytes is it?
 *
 *   npx tsc -b packages/redis/tsconfig.build.json
 *   node bench/src/codecs/main.mjs [name=path of a module that exports Packr, such as msgpackr]
 *
 * Figures are the median of eleven batches; the contestants take turns.
 */
import { pathToFileURL } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { plainCodec } from '../../../packages/core/dist/codec/plain-codec.js'

const record = (i) => ({
  id: i,
  name: `User ${i}`,
  email: `user${i}@example.com`,
  active: i % 3 === 0,
  score: i * 1.25,
  tags: ['reader', 'editor'],
  address: { city: 'Zürich', zip: `${8000 + (i % 100)}` },
})
const article = {
  id: 7,
  title: 'On caches',
  paragraphs: Array.from({ length: 20 }, (_, i) => `${i} ${'lorem ipsum dolor '.repeat(26)}`),
  author: record(1),
}
const list = (count) => Array.from({ length: count }, (_, i) => record(i))

const values = {
  'object, 300 B': { ...record(1), bio: 'A reader of books and a writer of letters. '.repeat(3) },
  'text, 10 kB': article,
  'records, 10 kB': list(62),
  'records, 1 MB': list(6_200),
  'dates and maps': {
    at: new Date(1e12),
    users: new Map(list(20).map((user) => [user.id, { ...user, at: new Date(user.id) }])),
    seen: new Set([1, 2, 3]),
  },
  '1536 fractions': Array.from({ length: 1_536 }, (_, i) => Math.sin(i)),
  'buffer, 64 kB': Buffer.alloc(65_536, 7),
}

const contestants = {
  JSON: {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(bytes.toString()),
  },
  'v8.serialize': { encode: serialize, decode: deserialize },
  plainCodec: {
    encode: (value) => plainCodec.encode(value, 'k'),
    decode: (bytes) => plainCodec.decode(bytes, 'k'),
  },
}
for (const argument of process.argv.slice(2)) {
  const [name, path] = argument.split('=')
  const { Packr } = await import(pathToFileURL(path).href)
  const packr = new Packr({ moreTypes: true, structuredClone: true })
  contestants[name] = { encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) }
}

function time(work, times) {
  const start = performance.now()
  for (let i = 0; i < times; i++) work()
  return ((performance.now() - start) * 1e3) / times
}

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1]

console.log(`Node ${process.versions.node}; encode + decode, µs (× JSON, or × v8 where JSON cannot), bytes`)
for (const [label, value] of Object.entries(values)) {
  const json = label !== 'dates and maps' && !label.startsWith('buffer')
  const rivals = Object.entries(contestants).filter(([name]) => json || name !== 'JSON')
  const rows = rivals.map(([name, { encode, decode }]) => {
    const bytes = encode(value)
    const works = [() => encode(value), () => decode(bytes)]
    for (const work of works) time(work, 3)
    const times = Math.max(3, Math.ceil(15_000 / Math.max(1, time(works[0], 3) + time(works[1], 3))))
    for (const work of works) time(work, times * 5)
    return { name, size: bytes.length, works, times, encode: [], decode: [] }
  })
  for (let batch = 0; batch < 11; batch++) {
    for (const row of rows) {
      row.encode.push(time(row.works[0], row.times))
      row.decode.push(time(row.works[1], row.times))
    }
  }
  const [first] = rows
  console.log(`\n${label}`)
  for (const row of rows) {
    const [e, d] = [median(row.encode), median(row.decode)]
    const of = (figure, reference) => (figure / median(reference)).toFixed(2)
    const sum = ((e + d) / (median(first.encode) + median(first.decode))).toFixed(2)
    console.log(
      `  ${row.name.padEnd(14)} ${e.toFixed(1)} + ${d.toFixed(1)} = ${(e + d).toFixed(1)}  (${of(e, first.encode)} + ${of(d, first.decode)}, together ${sum}×)  ${row.size} B`,
    )
  }
}
