import { writeSync } from 'node:fs'
import { openShop } from './open-shop.js'

/** Fills the baskets of twenty customers over and over, and tells of each that was accepted. Runs until it is killed. */
const { shop } = openShop(process.argv[2]!)
for (let n = 1; ; n++) {
  const customer = `customer ${n % 20}`
  await shop.fill(customer, { lamp: n })
  writeSync(1, `${JSON.stringify({ customer, n })}\n`)
}
