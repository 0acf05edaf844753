/**
 * How gossipsub is set: no signatures (our messages carry ML-DSA ones), ids by content, a small mesh, and
 * scores in which nothing costs a validator its place. The topics' own rules are in gossip.ts.
 */

import { hash } from 'node:crypto'
import { type GossipsubOpts, StrictNoSign } from '@libp2p/gossipsub'
import { createTopicScoreParams } from '@libp2p/gossipsub/score'
import { TOPIC_LIMITS, TOPIC_NAMES, type WireNames } from './topics.ts'

/** Bytes of a message id: SHA-256 over topic and data, cut. 16 bytes keep collisions out of reach by chance. */
const MESSAGE_ID_BYTES = 16

const LARGEST = Math.max(...TOPIC_NAMES.map((name) => TOPIC_LIMITS[name].messageBytesMax))

/** Who is a validator, as the scores need it. */
export interface GossipRoles {
  /** Whether a connected peer is. */
  isValidator(peerId: string): boolean
  /** Whether we are. */
  areWeValidator(): boolean
}

/**
 * To those who are no validators, a validator ranks above every sum of penalties: it is never pruned.
 * Among themselves validators need no mesh: each is connected to each, so the publisher's own copy reaches
 * them all (gossip.ts passes on what came from elsewhere), and IHAVE brings within seconds what it did not. A score
 * below zero by more than a peer can earn keeps them out of each other's mesh and above every threshold; it halves
 * the messages of a network of few.
 */
const VALIDATOR_SCORE = 1e9
const FELLOW_VALIDATOR_SCORE = -1
/** All that a peer can earn on the topics together. */
const EARNED_SCORE_MAX = 0.9

/** Options of @libp2p/gossipsub. */
export function gossipParameters(names: WireNames, roles: GossipRoles): Partial<GossipsubOpts> {
  const topics = Object.values(names.topics)
  return {
    globalSignaturePolicy: StrictNoSign,
    fallbackToFloodsub: false,
    emitSelf: false,
    doPX: false,
    allowedTopics: topics,
    msgIdFn: ({ topic, data }) => messageId(topic, data),
    msgIdToStrFn: (id) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1'),
    // Own messages go to every subscriber at once, so the mesh only serves those we are not connected to.
    // A small one keeps the copies of each message few; IHAVE heals what it misses within seconds.
    floodPublish: true,
    batchPublish: true,
    D: 2,
    Dlo: 1,
    Dhi: 3,
    Dscore: 1,
    Dout: 0,
    Dlazy: 4,
    heartbeatInterval: 1_000,
    mcacheLength: 5,
    mcacheGossip: 3,
    seenTTL: 120_000,
    // For the small messages here, telling everybody not to send a copy costs as much as the copy.
    idontwantMinDataSize: 16 * 1024,
    maxInboundDataLength: LARGEST + 32 * 1024,
    maxOutboundBufferSize: 4 * LARGEST,
    maxInboundStreams: 4,
    maxOutboundStreams: 4,
    maxTopicBytesPerPeer: 16 * 1024,
    decodeRpcLimits: {
      maxSubscriptions: 64,
      maxMessages: 256,
      maxControlMessages: 256,
      maxIhaveMessageIDs: 5_000,
      maxIwantMessageIDs: 5_000,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 16,
    },
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    // The connection pruner is told who matters by peer tags of ours.
    tagMeshPeers: false,
    scoreParams: {
      appSpecificScore: (peerId) => {
        if (!roles.isValidator(peerId)) return 0
        return roles.areWeValidator() ? FELLOW_VALIDATOR_SCORE : VALIDATOR_SCORE
      },
      appSpecificWeight: 1,
      topicScoreCap: EARNED_SCORE_MAX,
      // Connections per address have their own bound, and a devnet is one address.
      IPColocationFactorWeight: 0,
      behaviourPenaltyThreshold: 6,
      behaviourPenaltyWeight: -0.1,
      topics: Object.fromEntries(topics.map((topic) => [topic, TOPIC_SCORE])),
    },
    scoreThresholds: {
      gossipThreshold: -100,
      publishThreshold: -200,
      graylistThreshold: -400,
      acceptPXThreshold: 1,
      opportunisticGraftThreshold: 1,
    },
  }
}

/**
 * Only what proves misbehaviour costs: an invalid message. Being quiet on a quiet topic is no fault. What can be
 * earned (0.16 a topic) ranks peers and never outweighs anything else.
 */
const TOPIC_SCORE = createTopicScoreParams({
  topicWeight: 1,
  timeInMeshWeight: 0.0002,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.001,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 100,
  meshMessageDeliveriesWeight: 0,
  meshFailurePenaltyWeight: 0,
  invalidMessageDeliveriesWeight: -5,
  invalidMessageDeliveriesDecay: 0.97,
})

/** SHA-256 prefix over the topic, its length in front, and the data. */
export function messageId(topic: string, data: Uint8Array): Uint8Array {
  const name = Buffer.from(topic)
  const preimage = Buffer.allocUnsafe(4 + name.byteLength + data.byteLength)
  preimage.writeUInt32LE(name.byteLength)
  preimage.set(name, 4)
  preimage.set(data, 4 + name.byteLength)
  return hash('sha256', preimage, 'buffer').subarray(0, MESSAGE_ID_BYTES)
}
