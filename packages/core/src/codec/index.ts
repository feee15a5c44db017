export { plainCodec } from './plain-codec.js'
export { jsonCodec } from './json-codec.js'
export { packEntry, unpackEntry } from './packed-entry.js'
