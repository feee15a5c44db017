import type { CacheControl } from '../control.js'
import { tooOld } from '../recall/age.js'
import { isOfTheCache } from '../recall/step-errors.js'
import { asksFor, type Way } from '../recall/ways.js'
import { type Batch, BatchFailed } from './batch.js'
import { isKeptItem, type KeptItem } from './kept-item.js'
import type { MapSetup } from './map-setup.js'

/** What one look for items is about. */
export interface Look {
  readonly setup: MapSetup
  readonly batch: Batch
  readonly control: CacheControl
  readonly signal: AbortSignal
}

/**
 * Every item of the batch, from the cache or computed. A cache that fails does not fail it: what cannot be had from
 * the cache is computed. Rejects with what the inner node threw, or with a `BatchFailed`.
 */
export async function findItems(look: Look): Promise<ReadonlyMap<string, KeptItem>> {
  const { setup, batch, control, signal } = look
  const found = new Map<string, KeptItem>()
  try {
    const first = control.mode === 'refresh' ? 'anew' : 'usual'
    const again = await askFor(look, batch.keys, first, found)
    await askFor(look, again.patient, 'patient', found)
    await askFor(look, again.anew, 'anew', found)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof BatchFailed || !isOfTheCache(error)) throw error
    setup.books.sick(setup.nodeId, 'load', error)
  }
  const rest = batch.keys.filter((key) => !found.has(key) && !batch.computed.has(key))
  await batch.compute(rest, signal, Infinity)
  for (const [key, kept] of batch.computed) found.set(key, kept)
  return found
}

/** What is there and can be used. Never runs. */
export async function lookForItems({ setup, batch, control }: Look): Promise<ReadonlyMap<string, KeptItem>> {
  const { cache, clock, books, nodeId, options } = setup
  const asked = { options, control, way: 'usual' } as const
  const there = await cache
    .getMany(batch.keys)
    .catch((error: unknown) => books.sick(nodeId, 'get', error) ?? new Map<string, unknown>())
  const found = new Map<string, KeptItem>()
  for (const [key, value] of there)
    if (isUsable(setup, key, value) && tooOld(value, clock.now(), asked) === undefined) found.set(key, value)
  return found
}

/** Asks the cache for these keys, and puts what can be used into `found`. What cannot is to be asked for again. */
async function askFor(
  { setup, batch, control, signal }: Look,
  keys: readonly string[],
  way: Way,
  found: Map<string, KeptItem>,
): Promise<Readonly<Record<'patient' | 'anew', readonly string[]>>> {
  const again: Record<'patient' | 'anew', string[]> = { patient: [], anew: [] }
  if (keys.length === 0) return again
  const { cache, clock, books, nodeId, options } = setup
  const asks = { ...asksFor(setup, control, way), signal }
  const there = await cache.getOrSetMany<unknown>(keys, batch.load, asks)
  const now = clock.now()
  const bad: string[] = []
  for (const [key, value] of there) {
    if (batch.computed.has(key)) continue
    const old = isUsable(setup, key, value) ? tooOld(value, now, { options, control, way }) : 'bad'
    if (old === undefined) found.set(key, value as KeptItem)
    else again[old === 'expired' ? 'patient' : 'anew'].push(key)
    if (old === 'bad') bad.push(key)
  }
  if (bad.length > 0)
    await cache.deleteMany(bad).catch((error: unknown) => books.sick(nodeId, 'delete', error))
  return again
}

const isUsable = (setup: MapSetup, key: string, value: unknown): value is KeptItem =>
  isKeptItem(value, key) && setup.isWorthKeeping(value.output)
