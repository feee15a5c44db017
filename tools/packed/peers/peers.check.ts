import { join } from 'node:path'
import { startModelServer } from '@flow-cache/model-server'
import { redisUrl } from '@flow-cache/servers/vitest'
import { describe, expect, inject, it } from 'vitest'
import { packedIn } from '../src/pack.js'
import { allPeers, endsOf, trialOf } from '../src/peers.js'
import { type Tried, tryPeer } from '../src/try-peer.js'

const folder = inject('folder')
const tarballs = (await packedIn(folder)).map(({ tarball }) => tarball)

/** `PEERS=ai,ioredis pnpm check:peers` tries those alone. */
const wanted = process.env['PEERS']?.split(',')
const peers = allPeers().filter(({ name }) => wanted?.includes(name) ?? true)
const ends = await Promise.all(
  peers.map(
    async (peer) => [`${peer.by} with ${peer.name} ${peer.range}`, peer.name, await endsOf(peer)] as const,
  ),
)

describe.each(ends)('%s', (_, name, versions) => {
  it.concurrent.each(versions)('works with %s', async (version) => {
    const trial = await trialOf(name)
    await using server = await startModelServer()
    const env = { MODEL_URL: server.url, ...(trial.redis === true && { REDIS_URL: redisUrl() }) }
    const tried: Tried = { name, version, trial, tarballs, folder: join(folder, `${name}-${version}`), env }
    await tryPeer(tried)
    expect(server.requests).toHaveLength(trial.requests?.(version) ?? 0)
  })
})
