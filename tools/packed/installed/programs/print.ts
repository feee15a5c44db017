// What Node, Bun and Deno run. A process with an open timer or socket would not end.
import { everything } from './everywhere.js'

console.log(JSON.stringify(await everything()))
