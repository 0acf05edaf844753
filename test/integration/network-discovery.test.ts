/** Whole network layers on loopback that know one bootstrap address, and find each other. */

import { afterEach, describe, expect, it } from 'vitest'
import { addressOf, type TestNetwork, testNetwork, until } from '../support/network-node.ts'

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
})
