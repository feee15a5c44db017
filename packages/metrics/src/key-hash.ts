/**
 * A number from 0 to 2³² − 1 for a key in its namespace, spread evenly: FNV-1a over the code units, from a seed, and
 * MurmurHash3's finaliser. With a seed that nobody knows, nobody can choose which keys are in a sample.
 */
export function keyHash(key: string, namespace: string, seed: number): number {
  return finish(fold(fold(seed, namespace) ^ 0xff, key))
}

function fold(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
