// What an edge worker runs when it is asked.
import { everything } from './everywhere.js'

export default {
  fetch: (): Promise<Response> =>
    everything().then(
      (held) => Response.json(held),
      (error: unknown) => new Response(String((error as Error).stack), { status: 500 }),
    ),
}
