/**
 * Peers that do not belong to the network, and one that does and misbehaves, against nodes that are processes: the
 * former open no stream, the latter harms nobody. The session tests look at every message of the handshake; here it
 * is the whole program that must stand.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { dataDirectoryAt } from '../../src/config/data-directory.ts'
import { wireNames } from '../../src/network/topics.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { compareChains } from '../support/e2e/chains.ts'
import { CRIMES, type Crime } from '../support/e2e/crimes.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { joiningNode } from '../support/e2e/joining-node.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import type { NodeProcess } from '../support/e2e/node-process.ts'
import { recordingProxy, replay } from '../support/e2e/recording-proxy.ts'
import { until } from '../support/e2e/until.ts'
import { callConsensus } from '../support/libp2p-call.ts'
import { type TestNode, testNode } from '../support/network-node.ts'
import { plainNode } from '../support/session/session-node.ts'

let network: LocalNetwork
let other: LocalNetwork

beforeAll(async () => {
  network = await LocalNetwork.start({ logLevel: 'info,p2p=debug', parameters: { heartbeatMs: 400 } })
  other = await LocalNetwork.create({ validators: 1 })
})

afterAll(async () => {
  await network?.destroy()
  await other?.destroy()
})

/** Every node runs, blocks go on, and no log asks for a person. */
async function allIsWell(nodes: readonly NodeProcess[] = network.nodes): Promise<void> {
  expect(nodes.map(({ pid }) => pid)).toEqual(startedAs.slice(0, nodes.length))
  const { text } = await ask(network.node(1).ca, 'certificate', certificateBody(certificate()))
  expect(JSON.parse(text).result).toBe('Valid')
  const height = Math.max(...(await Promise.all(nodes.map((node) => node.height()))))
  await until(
    async () => (await Promise.all(nodes.map((node) => node.height()))).every((h) => h > height),
    10_000,
    'blocks go on at every node',
  )
  expect((await compareChains(nodes, height)).differences).toEqual([])
  for (const node of nodes) expect(node.log()).not.toContain('"level":"error"')
}

let startedAs: number[] = []
beforeAll(() => {
  startedAs = network.nodes.map(({ pid }) => pid)
})

describe.each(inject('transports'))('over %s', (transport) => {
  const running: Libp2p[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((libp2p) => libp2p.stop()))
  })

  it('a plain libp2p peer opens no stream of any protocol', async () => {
    const { topics: _topics, ...protocols } = wireNames(network.genesisHash)
    const plain = await plainNode(transport)
    running.push(plain)
    const address = multiaddr(network.address(0, transport))
    for (const protocol of Object.values(protocols)) {
      const attempt = plain.dialProtocol(address, protocol, { signal: AbortSignal.timeout(20_000) })
      await expect(attempt, protocol).rejects.toThrow()
    }
    await until(() => network.node(0).log().includes('no-session-layer'), 10_000, 'the node says why')
    expect((await network.node(0).peers()).map(({ peerId }) => peerId)).not.toContain(String(plain.peerId))
    await allIsWell()
  })

  it('a client with another genesis is refused, and both sides say why', async () => {
    const address = multiaddr(network.address(1, transport))
    const foreign = 'ab'.repeat(32) as GenesisHash
    const call = callConsensus(address, foreign, 'certificate', Buffer.from('{}'), 10_000)
    await expect(call).rejects.toThrow('wrong-genesis')
    await until(() => network.node(1).log().includes('wrong-genesis'), 10_000, 'the node says why')
    await allIsWell()
  })

  it('a node with another genesis finds nobody, and says so', { timeout: 60_000 }, async () => {
    const node = await joiningNode({
      home: network.home,
      name: `foreign-by-${transport}`,
      genesisFile: other.genesisFile,
      bootstrap: network.address(2, transport),
      transport,
    })
    node.start()
    await until(() => node.log().includes('wrong-genesis'), 20_000, 'it is told why')
    const { status, checks } = await until(() => node.readiness(), 10_000, 'its API answers')
    expect(status).toBe(503)
    expect(checks.find(({ name }) => name === 'peers')?.reason).toBe('connected to no peer')
    expect(await node.height()).toBe(0)
    const { peerId } = (await node.status()).node
    expect((await network.node(2).peers()).map((peer) => peer.peerId)).not.toContain(peerId)
    expect(await node.terminate()).toEqual({ code: 0, signal: null })
    await allIsWell()
  })

  it.each(Object.entries(CRIMES))(
    'a peer with a session harms no node with %s, on any protocol',
    {
      timeout: 60_000,
    },
    async (_what, commit) => {
      const attacker = await testNode({ listen: [], genesisHash: network.genesisHash })
      running.push(attacker.host.libp2p)
      await attacker.host.start()
      const { topics: _topics, consensusChannel, ...protocols } = wireNames(network.genesisHash)
      // Whoever answers these has them one at a time; a criminal does not.
      await attacker.host.libp2p.unhandle([protocols.ping, protocols.identify, protocols.identifyPush])
      await Promise.all(
        network.nodes.map(async (_, i) => {
          for (const protocol of Object.values(protocols)) {
            await assault(attacker, network.address(i, transport), protocol, commit)
          }
          // For validators only: whether it is cut before the crime or by it does not matter.
          await assault(attacker, network.address(i, transport), consensusChannel, (stream, connection) =>
            stream.status === 'open' ? commit(stream, connection) : undefined,
          )
        }),
      )
      await allIsWell()
    },
  )

  it('a validator gone bad harms no other, whatever it does on the consensus channel', {
    timeout: 120_000,
  }, async () => {
    const fallen = network.node(3)
    await fallen.kill()
    const { keys } = dataDirectoryAt(fallen.folder)
    const seedIn = (file: string): Uint8Array =>
      Buffer.from(JSON.parse(readFileSync(join(keys, file), 'utf8')).seed, 'hex')
    const attacker = await testNode({
      listen: [],
      genesisHash: network.genesisHash,
      mlDsaSeed: seedIn('identity.json'),
      networkSeed: seedIn('network.json'),
    })
    running.push(attacker.host.libp2p)
    await attacker.host.start()
    const { consensusChannel } = wireNames(network.genesisHash)
    await Promise.all(
      [0, 1, 2].map(async (i) => {
        for (const commit of Object.values(CRIMES)) {
          await assault(attacker, network.address(i, transport), consensusChannel, commit)
        }
      }),
    )
    await allIsWell(network.nodes.slice(0, 3))
    await attacker.host.stop()
    fallen.start()
    // Known at once: a start that is never ready is this test's failure, and none of those after it.
    startedAs[3] = fallen.pid
    await fallen.ready()
    await allIsWell()
  })
})

/** Opens a stream and commits the crime on it. Tries again while the connection is ending by the last crime. */
async function assault(attacker: TestNode, address: string, protocol: string, commit: Crime): Promise<void> {
  await until(
    async () => {
      const connection = await attacker.host.libp2p.dial(multiaddr(address))
      const stream = await connection.newStream(protocol)
      await commit(stream, connection)
      stream.abort(new Error('done'))
      return true
    },
    10_000,
    `a stream of ${protocol}`,
  )
}

it('a recorded handshake, said again, gets nowhere', async () => {
  const port = network.ports[0]?.p2p ?? 0
  const proxy = await recordingProxy(port)
  try {
    const peerId = network.address(0, 'tcp').split('/p2p/')[1] ?? ''
    const through = multiaddr(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${peerId}`)
    const body = Buffer.from(certificateBody(certificate()))
    const answer = await callConsensus(through, network.genesisHash, 'certificate', body, 10_000)
    expect(answer.success).toBe(true)
    const [said = []] = proxy.recorded
    expect(Buffer.concat(said).length).toBeGreaterThan(body.length)
    const before = new Set((await network.node(0).peers()).map((peer) => peer.peerId))
    const heard = await replay(port, said)
    // It answers the multistream greeting and Noise's first message; the rest was for another's ears.
    expect(heard.length).toBeLessThan(1_000)
    expect((await network.node(0).peers()).filter((peer) => !before.has(peer.peerId))).toEqual([])
  } finally {
    await proxy.close()
  }
  await allIsWell()
})
