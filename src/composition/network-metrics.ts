/** From what the network layer counts to metrics: one exhaustive table. */
import type { NetworkCounts, NetworkMeter } from '../network/meter.ts'
import type { Metrics } from '../observability/metrics.ts'

type Table = { readonly [What in keyof NetworkCounts]: (reason: NetworkCounts[What], amount: number) => void }

export function networkMeter({ p2p }: Pick<Metrics, 'p2p'>): NetworkMeter {
  const table: Table = {
    'stream-cut': (reason, amount) => p2p.streamsCut.add(amount, { reason }),
    'channel-drop': (reason, amount) => p2p.channelDrops.add(amount, { reason }),
    'channel-sent': (reason, amount) => {
      if (reason === 'write') p2p.channelWrites.add(amount)
      else p2p.channelMessages.add(amount, { direction: 'sent' })
    },
    'channel-received': (_reason, amount) => p2p.channelMessages.add(amount, { direction: 'received' }),
    'gossip-received': (verdict, amount) => p2p.gossipReceived.add(amount, { verdict }),
    'gossip-drop': (reason, amount) => p2p.gossipDrops.add(amount, { reason }),
    'gossip-published': (what, amount) => p2p.gossipPublished.add(amount, { what }),
    'block-request': (result, amount) => p2p.blockRequests.add(amount, { result }),
    'block-served': (result, amount) => p2p.blocksServed.add(amount, { result }),
    'snapshot-request': (result, amount) => p2p.snapshotRequests.add(amount, { result }),
    'snapshot-served': (result, amount) => p2p.snapshotsServed.add(amount, { result }),
    dial: (result, amount) => p2p.dials.add(amount, { result }),
    'connection-refused': (reason, amount) => p2p.connectionsRefused.add(amount, { reason }),
    'connection-given-up': (reason, amount) => p2p.connectionsGivenUp.add(amount, { reason }),
    identity: (result, amount) => p2p.identities.add(amount, { result }),
  }
  return (what, reason, amount = 1) => table[what](reason, amount)
}
