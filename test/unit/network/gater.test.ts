import type { Connection, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { connectionGater } from '../../../src/network/gater.ts'
import { CountingMeter } from '../../support/network-node.ts'

const from = (address: string): MultiaddrConnection =>
  ({ remoteAddr: multiaddr(address) }) as unknown as MultiaddrConnection
const peer = (name: string): PeerId => ({ toString: () => name }) as unknown as PeerId

function setUp(open: { address: string; peer: string }[], privateAddresses = false) {
  const meter = new CountingMeter()
  const gater = connectionGater({
    connections: () =>
      open.map(
        (entry) =>
          ({ remoteAddr: multiaddr(entry.address), remotePeer: peer(entry.peer) }) as unknown as Connection,
      ),
    isValidator: (peerId) => peerId.startsWith('validator'),
    isBanned: (peerId) => peerId === 'banned',
    peersMax: 3,
    connectionsPerAddressMax: 2,
    privateAddresses,
    meter: meter.meter,
  })
  return { gater, meter }
}

describe('the gater', () => {
  it('refuses the third connection from one address, but not from another or from loopback', async () => {
    const open = [
      '/ip4/192.0.2.1/tcp/1',
      '/ip4/192.0.2.1/udp/2/quic-v1',
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/127.0.0.1/tcp/2',
    ]
    const { gater, meter } = setUp(open.map((address, i) => ({ address, peer: `p${i}` })))
    expect(await gater.denyInboundConnection?.(from('/ip4/192.0.2.1/tcp/9'))).toBe(true)
    expect(await gater.denyInboundConnection?.(from('/ip4/192.0.2.2/tcp/9'))).toBe(false)
    expect(await gater.denyInboundConnection?.(from('/ip4/127.0.0.1/tcp/9'))).toBe(false)
    expect(meter.of('connection-refused', 'address-full')).toBe(1)
  })

  it('keeps slots for validators when the others are used up', async () => {
    const { gater, meter } = setUp(
      ['p1', 'p2', 'p3', 'validator1'].map((name, i) => ({ address: `/ip4/192.0.2.${i}/tcp/1`, peer: name })),
    )
    const connection = from('/ip4/192.0.2.99/tcp/1')
    expect(await gater.denyInboundUpgradedConnection?.(peer('p4'), connection)).toBe(true)
    expect(await gater.denyInboundUpgradedConnection?.(peer('validator2'), connection)).toBe(false)
    expect(meter.of('connection-refused', 'no-slot')).toBe(1)
  })

  it('neither takes nor makes a connection to a peer that is banned', async () => {
    const { gater, meter } = setUp([])
    const connection = from('/ip4/192.0.2.99/tcp/1')
    expect(await gater.denyInboundUpgradedConnection?.(peer('banned'), connection)).toBe(true)
    expect(await gater.denyInboundUpgradedConnection?.(peer('p1'), connection)).toBe(false)
    expect(await gater.denyDialPeer?.(peer('banned'))).toBe(true)
    expect(await gater.denyDialPeer?.(peer('p1'))).toBe(false)
    expect(meter.of('connection-refused', 'banned')).toBe(1)
  })

  it.each([
    [false, '/ip4/10.0.0.1/tcp/1', false],
    [false, '/ip4/192.0.2.1/tcp/1', true],
    [true, '/ip4/10.0.0.1/tcp/1', true],
  ])('with private addresses %s keeps %s: %s', async (privateAddresses, address, kept) => {
    const { gater } = setUp([], privateAddresses)
    expect(await gater.filterMultiaddrForPeer?.(peer('p'), multiaddr(address))).toBe(kept)
  })
})
