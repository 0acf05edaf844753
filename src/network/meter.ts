/** What the network layer counts. The counting itself (names, labels, exposition) belongs to observability. */

/** What is counted; each has a closed set of reasons, so both may be labels. */
export interface NetworkCounts {
  /** An inbound or outbound protocol stream was cut by us. */
  'stream-cut': StreamCutReason
  /** A message of the consensus channel was not delivered or not sent. */
  'channel-drop': 'queue-full' | 'expired' | 'rate' | 'not-a-validator'
  'channel-sent': 'message' | 'write'
  'channel-received': 'message'
  'gossip-received': 'accept' | 'ignore' | 'reject'
  'gossip-drop': 'malformed' | 'oversize' | 'busy' | 'unsent-full' | 'handler-failed'
  'gossip-published': 'message' | 'transaction'
  'block-request': 'answered' | 'refused' | 'failed'
  'block-served': 'answered' | 'not-found' | 'malformed' | 'rate'
  'snapshot-request': 'answered' | 'refused' | 'failed'
  'snapshot-served': 'answered' | 'not-found' | 'malformed' | 'rate'
  dial: 'connected' | 'failed'
  'connection-refused': 'address-full' | 'no-slot' | 'banned'
  'connection-given-up': 'silent' | 'duplicate' | 'rejected'
  identity: 'accepted' | 'known' | 'refused'
}

/** Why a stream was cut. */
export type StreamCutReason =
  | 'silent'
  | 'oversize'
  | 'malformed'
  | 'rate'
  | 'slow'
  | 'not-admitted'
  | 'replaced'
  | 'reset'
  | 'failed'

/** Counts one thing; the implementation must not throw. */
export type NetworkMeter = <What extends keyof NetworkCounts>(
  what: What,
  reason: NetworkCounts[What],
  amount?: number,
) => void

/** Counts nothing. */
export const uncounted: NetworkMeter = () => undefined
