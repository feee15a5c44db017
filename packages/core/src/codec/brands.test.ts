import { expect, it } from 'vitest'
import { brands, neutralBrands } from './brands.js'

const objects: readonly object[] = [
  new Map(),
  new Set(),
  new Date(0),
  new Date(Number.NaN),
  new ArrayBuffer(1),
  new SharedArrayBuffer(1),
  new Uint8Array(1),
  new WeakMap(),
  [],
  {},
  () => 1,
  new Proxy(new Map(), {}),
  Object.create(Map.prototype) as object,
  Object.setPrototypeOf(new Map(), null) as object,
  Object.setPrototypeOf(new Date(0), Map.prototype) as object,
  { [Symbol.toStringTag]: 'Map' },
]

it('what all platforms have tells the same as what Node brings', () => {
  expect(brands).not.toBe(neutralBrands)
  for (const brand of Object.keys(neutralBrands) as (keyof typeof neutralBrands)[]) {
    const seen = objects.map((object) => neutralBrands[brand](object))
    expect(seen, brand).toEqual(objects.map((object) => brands[brand](object)))
    expect(seen, brand).toContain(true)
  }
})
