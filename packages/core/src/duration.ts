import { anyOf, wrong } from './checks.js'

/** A decimal number and a unit: milliseconds, seconds, minutes, hours or days of 24 hours. */
export type DurationString = `${number}ms` | `${number}s` | `${number}m` | `${number}h` | `${number}d`

/** A length of time: milliseconds, or a string such as `'500ms'`, `'30s'`, `'1.5h'`, `'7d'`. */
export type Duration = number | DurationString

const units: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

// Fifteen digits are what a double holds, and keep what is remembered short.
const form = /^(-?\d{1,15}(?:\.\d{1,15})?)(ms|[smhd])$/

/** The strings seen so far: a program has a handful, and one that makes them up must not fill the memory. */
const remembered = new Map<string, number>()
const most = 100

/**
 * A duration in milliseconds, which may be a fraction, 0 or `Infinity`.
 *
 * A negative one and `NaN` are a `RangeError`, anything else that is no duration is a `TypeError`; both name the
 * option.
 */
export function toMs(value: Duration, optionName: string): number {
  if (typeof value === 'number' && value >= 0) return value
  return remembered.get(value as string) ?? parse(value, optionName)
}

function parse(value: unknown, name: string): number {
  const match = typeof value === 'string' ? form.exec(value) : null
  if (match === null && typeof value !== 'number') {
    wrong(name, "milliseconds or a string such as '500ms', '30s', '5m', '1.5h' or '7d'", value)
  }
  // A product of decimals ends in noise after some 15 digits: 1.005 s would be 1004.9999999999999 ms.
  const ms = match ? Number((Number(match[1]) * units[match[2]!]!).toPrecision(15)) : Number(value)
  if (!(ms >= 0)) throw new RangeError(`${name} must not be negative or NaN, got ${String(value)}`)
  if (remembered.size >= most) remembered.clear()
  remembered.set(value as string, ms)
  return ms
}

/** How fast the truth changes: a name for a `ttl`. */
export type Volatility = 'static' | 'dynamic' | 'realtime'

/** The `ttl` that each {@link Volatility} stands for, in milliseconds: 1 day, 5 minutes, 5 seconds. */
export const volatility: Readonly<Record<Volatility, number>> = /* @__PURE__ */ Object.freeze({
  static: 864e5,
  dynamic: 3e5,
  realtime: 5e3,
})

/** The `ttl` that a volatility stands for, in milliseconds. An unknown name is a `TypeError` that lists the known. */
export function ttlOf(name: Volatility): number {
  if (Object.hasOwn(volatility, name)) return volatility[name]
  return wrong('volatility', anyOf(Object.keys(volatility)), name)
}
