export { plainCodec } from './plain-codec.js'
export { jsonCodec } from './json-codec.js'
