import { type Store, toMs } from '@flow-cache/core'
import type { NearTier } from './near.js'
import type { TieredStoreOptions, TierOptions } from './options.js'

/** The tiers in order, told apart. */
export interface Plan {
  /** Those in this process. */
  readonly near: readonly NearTier[]
  /** Those behind; the last one decides. */
  readonly shared: readonly Store[]
}

/** How long an entry of a shared tier is used from this process's memory before that tier is asked again. */
const defaultCap = 60_000

/** The tiers as they will be used; what cannot work is a `TypeError` that names the tier. */
export function planOf(options: TieredStoreOptions): Plan {
  if (typeof options !== 'object' || options === null || !Array.isArray(options.tiers)) {
    throw new TypeError('tieredStore takes { tiers: [nearest, …, farthest] }')
  }
  for (const name of Object.keys(options)) {
    if (name !== 'tiers' && name !== 'clock') {
      throw new TypeError(`unknown option '${name}' in tieredStore; known are tiers, clock`)
    }
  }
  const tiers = options.tiers.map(tierOf)
  if (tiers.length < 2) throw new TypeError(`tiers must be at least two stores, got ${tiers.length}`)
  const twice = tiers.findIndex(({ store }, i) => tiers.some((other, j) => j < i && other.store === store))
  if (twice >= 0) throw new TypeError(`tiers[${twice}] is in the list twice`)
  const last = tiers.length - 1
  const near: { readonly store: Store; cap: number | undefined }[] = []
  const shared: Store[] = []
  for (const [i, { store, ttl }] of tiers.entries()) {
    if (store.local !== undefined && shared.length > 0)
      throw new TypeError(`tiers[${i}] is in this process: put it before those that are not`)
    if (i < last && store.local !== undefined) {
      near.push({ store, cap: ttl === undefined ? undefined : toMs(ttl, `tiers[${i}].ttl`) })
      continue
    }
    if (i < last && (store.log === undefined || store.leases === undefined)) {
      throw new TypeError(
        `tiers[${i}] must be in this process, or have leases and a log, to stand before another tier`,
      )
    }
    if (ttl !== undefined)
      throw new TypeError(`tiers[${i}].ttl: only a tier in this process has one of its own`)
    shared.push(store)
  }
  const behind = shared.at(-1)!
  for (const tier of near)
    if (tier.cap === undefined) tier.cap = behind.tags === undefined ? Infinity : defaultCap
  return { near: near as readonly NearTier[], shared }
}

function tierOf(given: Store | TierOptions, i: number): TierOptions {
  const tier = typeof given === 'object' && given !== null && 'store' in given ? given : { store: given }
  for (const name of Object.keys(tier)) {
    if (name !== 'store' && name !== 'ttl')
      throw new TypeError(`unknown option '${name}' in tiers[${i}]; known are store, ttl`)
  }
  if (typeof (tier.store as Partial<Store> | undefined)?.get !== 'function') {
    throw new TypeError(`tiers[${i}] must be a store, or { store, ttl }`)
  }
  return tier
}
