/** Whole network layers on loopback that know one bootstrap address, and find each other. */

import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { networkKeyFromSeed } from '../../src/network/network-key.ts'
import { addressOf, bookInMemory, type TestNetwork, testNetwork, until } from '../support/network-node.ts'

const running: TestNetwork[] = []

async function started(
  options: Parameters<typeof testNetwork>[0] = {},
  seeds: TestNetwork[] = [],
): Promise<TestNetwork> {
  const node = await testNetwork(options)
  running.push(node)
  if (seeds.length > 0) node.network.setValidators(seeds.map(({ id }) => id))
  return node
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ network }) => network.stop()))
})

describe('discovery', () => {
  it('lets validators that know one of them find all of them, and a fifth node find more than its bootstrap', async () => {
    const first = await started()
    await first.network.start()
    const bootstrap = [addressOf(first, 'tcp')]
    const others = [await started({ bootstrap }), await started({ bootstrap }), await started({ bootstrap })]
    const validators = [first, ...others]
    const ids = validators.map(({ id }) => id)
    for (const { network } of validators) network.setValidators(ids)
    await Promise.all(others.map(({ network }) => network.start()))
    await until(
      () => validators.every(({ network }) => network.channel.reachable().size === 3),
      'every validator reaches the three others',
    )
    expect(first.network.peers.counts().validators).toBe(3)

    const fifth = await started({ bootstrap: [addressOf(first, 'quic')] })
    fifth.network.setValidators(ids)
    await fifth.network.start()
    await until(() => fifth.network.peers.count() >= 3, 'the fifth has found more peers')
    expect(fifth.network.peers.list().find(({ peerId }) => peerId === first.host.peerId)).toMatchObject({
      transport: 'quic',
      direction: 'outbound',
      validatorId: first.id,
    })
    expect(fifth.network.channel.reachable().size).toBe(0)
    for (const node of [...validators, fifth]) expect(node.logger.lines).toEqual([])
  })

  it('lets a node find the network after a restart while its only bootstrap peer is away', async () => {
    const first = await started()
    const second = await started()
    for (const { network } of [first, second]) await network.start()
    await second.host.libp2p.dial(multiaddr(addressOf(first, 'tcp')))
    const addressBook = bookInMemory()
    const bootstrap = [addressOf(first, 'tcp')]
    const before = await started({ bootstrap, addressBook })
    await before.network.start()
    const met = (): string[] =>
      before.network.peers
        .list()
        .flatMap(({ nodeId, addresses }) => (addresses.length > 0 ? (nodeId ?? []) : []))
    await until(() => met().includes(second.id), 'it met the second, whoever dialled')
    await before.network.stop()
    await first.network.stop()

    const after = await started({ bootstrap, addressBook, networkSeed: before.networkSeed })
    await after.network.start()
    await until(() => after.network.peers.list().some(({ nodeId }) => nodeId === second.id), 'it came back')
  })

  it.each(['tcp', 'quic'] as const)(
    'says once, over %s, whom the list names and who answered',
    async (transport) => {
      const first = await started()
      await first.network.start()
      const expected = (await networkKeyFromSeed(new Uint8Array(32))).peerId
      const address = addressOf(first, transport).replace(first.host.peerId, expected)
      const other = await started({ bootstrap: [address] })
      await other.network.start()
      await until(() => other.logger.lines.length > 0, 'it is said')
      await until(() => other.meter.of('dial', 'failed') > 2, 'it was tried again')
      expect(other.logger.lines).toHaveLength(1)
      const { fields } = other.logger.lines[0] ?? { fields: {} }
      expect(fields).toMatchObject({
        code: 'E_BOOTSTRAP_ID',
        what: `${address} answered as ${first.host.peerId}, the list says ${expected}.`,
      })
    },
  )
})
