import { CacheError } from '@flow-cache/core'
import type { TopKey } from './top-keys.js'

/** What outlives a restart: plain data, for `JSON.stringify`. */
export interface MetricsSnapshot {
  readonly format: 'flow-cache metrics'
  readonly version: 1
  /** When it was made, in milliseconds since the epoch. */
  readonly at: number
  /** The keys that were read most, by cache, the highest count first. */
  readonly topKeys: Readonly<Record<string, readonly TopKey[]>>
}

export function snapshotOf(
  at: number,
  topKeys: Readonly<Record<string, readonly TopKey[]>>,
): MetricsSnapshot {
  return { format: 'flow-cache metrics', version: 1, at, topKeys }
}

/** The same if it is whole, or a `CacheError` with the code `ERR_SNAPSHOT` that says what is wrong. */
export function checkSnapshot(given: unknown): MetricsSnapshot {
  const fail = (what: string): never => {
    throw new CacheError('ERR_SNAPSHOT', `the snapshot ${what}`)
  }
  const snapshot = given as Partial<MetricsSnapshot> | null | undefined
  if (snapshot?.format !== 'flow-cache metrics') return fail('is none of CacheMetrics')
  if (snapshot.version !== 1) return fail(`has the version ${String(snapshot.version)}, not 1`)
  const { topKeys } = snapshot
  if (!isRecord(topKeys)) return fail('is damaged: it has no topKeys')
  for (const [cache, keys] of Object.entries(topKeys)) {
    if (!Array.isArray(keys)) return fail(`is damaged at topKeys.${cache}`)
    const wrong = keys.findIndex((key: unknown) => !isTopKey(key))
    if (wrong >= 0) return fail(`is damaged at topKeys.${cache}[${wrong}]`)
  }
  return snapshot as MetricsSnapshot
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const isTopKey = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value['key'] === 'string' &&
  value['key'] !== '' &&
  typeof value['namespace'] === 'string' &&
  isCount(value['count']) &&
  isCount(value['error'])
