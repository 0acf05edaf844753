/** The snapshot protocol between real nodes: what is asked for comes, and nonsense is refused, not fatal. */
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it } from 'vitest'
import { call } from '../../src/network/calls.ts'
import { decodeSnapshotAnswer } from '../../src/network/snapshot-codec.ts'
import { SnapshotFetch } from '../../src/network/snapshot-fetch.ts'
import { SnapshotServer, type SnapshotSource } from '../../src/network/snapshot-server.ts'
import { asEpoch, asHeight, type Hex32 } from '../../src/types/primitives.ts'
import { addressOf, type TestNode, testNode } from '../support/network-node.ts'

const HASH = 'ab'.repeat(32) as Hex32
const CHUNK = new Uint8Array(1_500_000).fill(7)

const source: SnapshotSource = {
  offers: () => [20, 10].map((height) => ({ height: asHeight(height), blockHash: HASH, bytes: 5n })),
  manifest: (height) => (height === 20 ? Uint8Array.of(1, 2) : null),
  chunk: async (sha256) => (sha256 === HASH ? CHUNK : null),
  handOver: async (fromEpoch) => {
    if (fromEpoch > 3) throw new Error('the disk is gone')
    return Uint8Array.of(fromEpoch)
  },
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function pair(): Promise<{ asker: TestNode; server: TestNode; fetch: SnapshotFetch }> {
  const [asker, server] = [await testNode(), await testNode()]
  const shared = { protocol: server.host.names.snapshots }
  const answering = new SnapshotServer({
    ...shared,
    host: server.host.libp2p,
    source,
    meter: server.meter.meter,
    logger: server.logger,
  })
  await answering.start()
  for (const { host } of [asker, server]) {
    await host.start()
    stops.push(() => host.stop())
  }
  stops.unshift(() => answering.stop())
  await asker.host.libp2p.dial(multiaddr(addressOf(server, 'tcp')))
  const fetch = new SnapshotFetch({ ...shared, host: asker.host.libp2p, meter: asker.meter.meter })
  return { asker, server, fetch }
}

it('brings lists, manifests, chunks and proofs, and says what is not there', async () => {
  const { server, fetch } = await pair()
  const peer = server.host.peerId
  expect(await fetch.list(peer, asHeight(10))).toMatchObject({ ok: true, value: [{ height: 20 }] })
  const manifest = await fetch.manifest(peer, asHeight(20))
  expect(manifest.ok && [...manifest.value]).toEqual([1, 2])
  const chunk = await fetch.chunk(peer, HASH)
  expect(chunk.ok && Buffer.compare(chunk.value, CHUNK)).toBe(0)
  const proof = await fetch.handOver(peer, asEpoch(2))
  expect(proof.ok && [...proof.value]).toEqual([2])
  expect(await fetch.manifest(peer, asHeight(10))).toMatchObject({ ok: false, code: 'not-found' })
  expect(await fetch.chunk(peer, '00'.repeat(32) as Hex32)).toMatchObject({ ok: false, code: 'not-found' })
  expect(await fetch.list('12D3KooWnobody', asHeight(0))).toMatchObject({ ok: false, code: 'no-peer' })
})

it('refuses nonsense, what is too long, and what its own disk fails at, and goes on', async () => {
  const { asker, server, fetch } = await pair()
  const [connection] = asker.host.libp2p.getConnections()
  if (connection === undefined) throw new Error('no connection')
  const options = { answerBytesMax: 1_000, deadlineMs: 10_000 }
  for (const bytes of [Uint8Array.of(99), new Uint8Array(0), new Uint8Array(1_000)]) {
    const answer = await call(connection, server.host.names.snapshots, bytes, options)
    expect(decodeSnapshotAnswer(answer)).toEqual({ ok: true, value: { kind: 'refused', code: 'malformed' } })
  }
  expect(await fetch.handOver(server.host.peerId, asEpoch(4))).toMatchObject({ ok: false, code: 'busy' })
  expect((await fetch.chunk(server.host.peerId, HASH)).ok).toBe(true)
  expect(server.meter.of('snapshot-served', 'malformed')).toBe(3)
})
