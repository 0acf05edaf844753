/**
 * The one table of everything that crosses the network: every gossip topic and protocol id with its size
 * bounds, deadlines, rates and concurrency. What the bytes mean is told elsewhere.
 */

import { BLOCK_BYTES_MAX, MESSAGE_BYTES_MAX, TRANSACTION_BYTES_MAX, VALIDATORS_MAX } from '../codec/limits.ts'
import { CHUNK_BYTES_MAX } from '../codec/snapshot.ts'
import type { GenesisHash } from '../types/primitives.ts'

/** Bounds of one protocol. Sizes in bytes of one frame, without its length prefix. */
export interface ProtocolLimits {
  /** Largest frame that we accept from a remote. */
  readonly frameBytesMax: number
  /** From the opened stream to the first byte. */
  readonly firstByteDeadlineMs: number
  /** Streams of this protocol on one connection, each way. */
  readonly streamsInboundMax: number
  readonly streamsOutboundMax: number
  /** Token bucket per peer: messages. */
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  /** Token bucket per peer: bytes. */
  readonly bytesPerSecond: number
  readonly bytesBurst: number
}

/** Bounds of one gossip topic. */
export interface TopicLimits {
  readonly messageBytesMax: number
  /** Messages waiting for their verdict at once, over all peers; more are dropped. */
  readonly validationsInFlightMax: number
  /** Own messages kept while nobody subscribes; the oldest goes first. */
  readonly unsentMessagesMax: number
}

const MIB = 1024 * 1024

/** A pre-commit or commit certificate of a full set: index and ML-DSA-65 signature per voter. */
export const CERTIFICATE_BYTES_MAX = VALIDATORS_MAX * (3_309 + 8) + 1_024

/** Transactions of one gossip message; its bytes are the second bound. */
export const BATCH_TRANSACTIONS_MAX = 256
/** A batch is sent when it reaches this; a single larger transaction travels alone. */
export const BATCH_BYTES_TARGET = 64 * 1024

/** Blocks in one answer to a range request. */
export const RANGE_BLOCKS_MAX = 512
/** Block bytes in one answer; a single larger block travels alone. */
export const RANGE_BYTES_MAX = BLOCK_BYTES_MAX

export const PROTOCOL_LIMITS = {
  /** Generous: a view of 256 validators is some 1,000 messages, and a proposal may be a full block. */
  consensusChannel: {
    frameBytesMax: MESSAGE_BYTES_MAX,
    firstByteDeadlineMs: 5_000,
    streamsInboundMax: 4,
    streamsOutboundMax: 4,
    messagesPerSecond: 5_000,
    messagesBurst: 20_000,
    bytesPerSecond: 64 * MIB,
    bytesBurst: 128 * MIB,
  },
  /** Frames here are requests; answers have their own bound, {@link BLOCKS_ANSWER_BYTES_MAX}. */
  blocks: {
    frameBytesMax: 256,
    firstByteDeadlineMs: 10_000,
    streamsInboundMax: 8,
    streamsOutboundMax: 8,
    messagesPerSecond: 200,
    messagesBurst: 400,
    bytesPerSecond: 64 * 1024,
    bytesBurst: 128 * 1024,
  },
  /** State snapshots. Frames here are requests; answers have their own bound, {@link SNAPSHOT_FETCH}. */
  snapshots: {
    frameBytesMax: 256,
    firstByteDeadlineMs: 10_000,
    streamsInboundMax: 8,
    streamsOutboundMax: 8,
    messagesPerSecond: 64,
    messagesBurst: 256,
    bytesPerSecond: 16 * 1024,
    bytesBurst: 64 * 1024,
  },
  /** A node's identity certificates, for one that has just joined. Frames here are answers. */
  identities: {
    frameBytesMax: 16 * 1024,
    firstByteDeadlineMs: 5_000,
    streamsInboundMax: 2,
    streamsOutboundMax: 2,
    messagesPerSecond: 1,
    messagesBurst: 10,
    bytesPerSecond: 64 * 1024,
    bytesBurst: 64 * 1024,
  },
  /** TrustChain's calls by libp2p (stoq.md); what a frame holds is the RPC layer's matter. */
  validation: {
    // The largest JSON that the RPC layer reads, and the envelope around it.
    frameBytesMax: 2 * MIB + 64 * 1024,
    firstByteDeadlineMs: 10_000,
    streamsInboundMax: 64,
    streamsOutboundMax: 64,
    messagesPerSecond: 200,
    messagesBurst: 1_000,
    bytesPerSecond: 16 * MIB,
    bytesBurst: 32 * MIB,
  },
} as const satisfies Record<string, ProtocolLimits>

/** Largest answer to a block request: one full block, or a range, with a certificate. */
export const BLOCKS_ANSWER_BYTES_MAX = RANGE_BYTES_MAX + CERTIFICATE_BYTES_MAX + 8 * RANGE_BLOCKS_MAX + 1_024

/** Snapshot requests, beyond {@link PROTOCOL_LIMITS}. */
export const SNAPSHOT_FETCH = {
  /** Snapshots named in one answer. */
  offersMax: 16,
  /** One chunk, manifest or hand-over proof. */
  answerBytesMax: CHUNK_BYTES_MAX + 64,
  deadlineMs: { list: 5_000, manifest: 20_000, chunk: 20_000, 'hand-over': 10_000 },
  /** Answer bytes that all our askers together have not taken yet; above it we say that we are busy. */
  answerBytesOutstandingMax: 32 * MIB,
  /** An answer that is not taken for this long cuts its stream. */
  answerStalledMaxMs: 20_000,
} as const

/** Block requests, beyond {@link PROTOCOL_LIMITS}. */
export const BLOCK_FETCH = {
  /** Streams that we keep open to one peer; each carries one request at a time. */
  streamsPerPeerMax: 4,
  /** Requests waiting for a stream, over all peers. */
  requestsWaitingMax: 256,
  deadlineMs: { block: 3_000, range: 10_000, status: 3_000 },
  /** Peers tried for one request that named none. */
  peersTriedMax: 3,
  /** Requests on one stream that wait for the one being answered; more cut it. */
  requestsPipelinedMax: 4,
  /** Answer bytes that all our askers together have not taken yet; above it we say that we are busy. */
  answerBytesOutstandingMax: 64 * MIB,
  /** An asker that takes nothing of its answer for so long is cut. */
  answerStalledMaxMs: 20_000,
} as const

export const TOPIC_LIMITS = {
  transactions: {
    messageBytesMax: Math.max(BATCH_BYTES_TARGET, TRANSACTION_BYTES_MAX) + 4 * BATCH_TRANSACTIONS_MAX + 1,
    validationsInFlightMax: 1_024,
    unsentMessagesMax: 256,
  },
  blocks: {
    // The gossip library reads nothing of 4 MiB or more; larger announcements are for block fetch to make up.
    messageBytesMax: 4 * MIB - 64 * 1024,
    validationsInFlightMax: 64,
    unsentMessagesMax: 8,
  },
  identities: {
    messageBytesMax: 16 * 1024,
    validationsInFlightMax: 64,
    unsentMessagesMax: 1,
  },
  /** Sealed blocks of miners. The same bound as of `blocks`, for the same reason. */
  mined: {
    messageBytesMax: 4 * MIB - 64 * 1024,
    validationsInFlightMax: 64,
    unsentMessagesMax: 8,
  },
} as const satisfies Record<string, TopicLimits>

/** Gossip messages of one peer that may be rejected before its connection is ended, beyond {@link TOPIC_LIMITS}. */
export const REJECTIONS = {
  perSecond: 0.1,
  burst: 8,
  /** For so long it gets no other connection. */
  bannedMs: 600_000,
  /** Peers that are remembered; those rejected longest ago are forgotten. */
  peersMax: 1_024,
} as const

/** A gossip topic of ours. */
export type TopicName = keyof typeof TOPIC_LIMITS

/** All topics, in a fixed order. */
export const TOPIC_NAMES = Object.keys(TOPIC_LIMITS) as readonly TopicName[]

/** The names as they stand on the wire of one network. */
export interface WireNames {
  readonly consensusChannel: string
  readonly blocks: string
  readonly snapshots: string
  readonly identities: string
  /** The same on every network: TrustChain's client does not know our genesis. */
  readonly validation: string
  readonly kademlia: string
  readonly ping: string
  readonly identify: string
  readonly identifyPush: string
  readonly gossip: string
  readonly topics: Readonly<Record<TopicName, string>>
}

/** Every id that a node of this network answers to; each carries the network and a version. */
export function wireNames(genesisHash: GenesisHash): WireNames {
  const network = genesisHash.slice(0, 16)
  const own = (name: string, version = 1): string => `/hypermesh/${network}/${name}/${version}`
  return {
    consensusChannel: own('consensus-channel', 2),
    blocks: own('blocks'),
    snapshots: own('snapshots'),
    identities: own('identity-certificates'),
    validation: '/hypermesh/consensus/1.0.0',
    kademlia: own('kad'),
    ping: '/ipfs/ping/1.0.0',
    identify: '/ipfs/id/1.0.0',
    identifyPush: '/ipfs/id/push/1.0.0',
    gossip: '/meshsub/1.2.0',
    topics: {
      transactions: own('transactions'),
      blocks: own('blocks'),
      identities: own('identities'),
      mined: own('mined-blocks'),
    },
  }
}

/** Identity certificates. */
export const IDENTITY_CERTIFICATES = {
  /** Addresses in one, and the characters of each. */
  addressesMax: 16,
  addressBytesMax: 256,
  /** A certificate may begin this far in our future: clocks differ. */
  clockSkewMaxMs: 60_000,
  /** Own certificate is renewed and told again this often, so that nobody depends on one delivery. */
  renewMs: 600_000,
  /** Changes of own addresses within this become one certificate. */
  settleMs: 1_000,
} as const

/** Bounds of the host: how many may talk to us, and how fast they may come. */
export const HOST_LIMITS = {
  /** Open connections from one IP address. Loopback is exempt: a devnet lives there. */
  connectionsPerAddressMax: 16,
  /** New inbound connections per second from one address. The library's 5 refuses a devnet's start. */
  inboundPerSecondPerAddress: 64,
  /** Inbound connections that are still being upgraded. */
  inboundPendingMax: 64,
  /** Slots above the configured number of peers that only validators may take. */
  validatorSlots: VALIDATORS_MAX,
  dialTimeoutMs: 10_000,
  /** One address of several; the next one is tried after it. */
  addressDialTimeoutMs: 3_000,
  upgradeTimeoutMs: 8_000,
  protocolNegotiationTimeoutMs: 5_000,
  /** A connection is measured this often, and given up after so many failures in a row. */
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
  pingFailuresMax: 3,
} as const
