/** Block requests between real nodes on loopback: answers, refusals, deadlines, many at once. */

import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { BlockFetch } from '../../src/network/block-fetch.ts'
import { BlockServer, type BlockSource } from '../../src/network/block-server.ts'
import { asHeight, type BlockHash } from '../../src/types/primitives.ts'
import { addressOf, type TestNode, testNode, until } from '../support/network-node.ts'

interface FetchNode extends TestNode {
  readonly server: BlockServer
  readonly fetch: BlockFetch
}

const running: FetchNode[] = []

const CHAIN = Array.from({ length: 40 }, (_, i) => Buffer.alloc(100 + i, i))
const HASH = 'cd'.repeat(32) as BlockHash
const CERTIFICATE = Buffer.from('certificate')

const chain: BlockSource = {
  blockByHash: (hash) => (hash === HASH ? Buffer.from('the block') : null),
  range: async (fromHeight, countMax) => ({
    blocks: CHAIN.slice(fromHeight - 1, fromHeight - 1 + countMax),
    certificate: CERTIFICATE,
  }),
  finality: () => ({ height: asHeight(40), certificate: CERTIFICATE }),
  lowestHeight: () => asHeight(3),
}

async function fetchNode(source: BlockSource = chain): Promise<FetchNode> {
  const node = await testNode()
  const shared = { protocol: node.host.names.blocks, meter: node.meter.meter, logger: node.logger }
  const server = new BlockServer({ ...shared, host: node.host.libp2p, source })
  const fetch = new BlockFetch({ ...shared, host: node.host.libp2p })
  await server.start()
  await node.host.start()
  const whole = { ...node, server, fetch }
  running.push(whole)
  return whole
}

afterEach(async () => {
  await Promise.all(
    running.splice(0).map(async ({ fetch, server, host }) => {
      fetch.stop()
      await server.stop()
      await host.stop()
    }),
  )
})

describe.each(['tcp', 'quic'] as const)('block fetch over %s', (transport) => {
  it('brings blocks by hash and by range, and how far the other is', async () => {
    const [a, b] = [await fetchNode(), await fetchNode()]
    await a.host.libp2p.dial(multiaddr(addressOf(b, transport)))

    const block = await a.fetch.fetchByHash(HASH)
    expect(block).toMatchObject({ ok: true, value: { from: b.host.peerId } })
    expect(block.ok && Buffer.from(block.value.value).toString()).toBe('the block')

    const range = await a.fetch.fetchRange(asHeight(11), 5, b.host.peerId)
    expect(range.ok && range.value.value.blocks.map((bytes) => Buffer.from(bytes))).toEqual(
      CHAIN.slice(10, 15),
    )
    expect(range.ok && Buffer.from(range.value.value.certificate ?? []).toString()).toBe('certificate')

    const behind = await a.fetch.fetchStatus(asHeight(7))
    expect(behind.ok && behind.value.value.finalHeight).toBe(40)
    expect(behind.ok && behind.value.value.lowestHeight).toBe(3)
    expect(behind.ok && behind.value.value.certificate?.byteLength).toBe(CERTIFICATE.byteLength)
    const level = await a.fetch.fetchStatus(asHeight(40))
    expect(level.ok && level.value.value.certificate).toBe(null)

    expect(await a.fetch.fetchByHash('00'.repeat(32) as BlockHash)).toMatchObject({
      ok: false,
      code: 'not-found',
    })
    expect(await a.fetch.fetchRange(asHeight(41), 5)).toMatchObject({ ok: false, code: 'not-found' })
    expect(await a.fetch.fetchRange(asHeight(2), 5)).toMatchObject({ ok: false, code: 'pruned' })
  })

  it('asks for many ranges at once over a few streams', async () => {
    const [a, b] = [await fetchNode(), await fetchNode()]
    await a.host.libp2p.dial(multiaddr(addressOf(b, transport)))
    const ranges = await Promise.all(
      Array.from({ length: 32 }, (_, i) => a.fetch.fetchRange(asHeight(i + 3), 4, b.host.peerId)),
    )
    expect(
      ranges.map((range) => range.ok && Buffer.from(range.value.value.blocks[0] ?? []).byteLength),
    ).toEqual(Array.from({ length: 32 }, (_, i) => 102 + i))
    const streams = a.host.libp2p.getConnections().flatMap(({ streams }) => streams)
    const open = streams.filter(({ protocol }) => protocol === a.host.names.blocks)
    expect(open.length).toBeLessThanOrEqual(4)
  })

  it('asks the given peer first, and then another', async () => {
    const a = await fetchNode()
    const b = await fetchNode()
    const c = await fetchNode({ ...chain, blockByHash: () => null })
    for (const { host } of [b, c]) {
      const address = host
        .addresses()
        .find((text) => text.includes(transport === 'tcp' ? '/tcp/' : '/quic-v1'))
      await a.host.libp2p.dial(multiaddr(address ?? ''))
    }
    const fetched = await a.fetch.fetchByHash(HASH, c.host.peerId)
    expect(fetched).toMatchObject({ ok: true, value: { from: b.host.peerId } })
    expect(c.meter.of('block-served', 'not-found')).toBe(1)
    expect(await a.fetch.fetchByHash(HASH, b.host.peerId)).toMatchObject({ value: { from: b.host.peerId } })
    expect(c.meter.of('block-served', 'not-found')).toBe(1)
  })

  it('refuses without a peer, and when the peer goes away in the middle', async () => {
    const [a, b] = [
      await fetchNode(),
      await fetchNode({ ...chain, blockByHash: () => new Promise(() => undefined) }),
    ]
    expect(await a.fetch.fetchByHash(HASH)).toMatchObject({ ok: false, code: 'no-peer' })
    await a.host.libp2p.dial(multiaddr(addressOf(b, transport)))
    const asked = a.fetch.fetchByHash(HASH)
    await until(
      () =>
        b.host.libp2p
          .getConnections()
          .some(({ streams }) => streams.some(({ protocol }) => protocol === b.host.names.blocks)),
      'b was asked',
    )
    for (const connection of b.host.libp2p.getConnections()) connection.abort(new Error('gone'))
    expect(await asked).toMatchObject({ ok: false, code: 'closed' })
  })
})
