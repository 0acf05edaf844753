/** docs/reference/protocols.md: every protocol id and gossip topic with its bounds, from the one table of them. */

import {
  BLOCK_FETCH,
  BLOCKS_ANSWER_BYTES_MAX,
  HOST_LIMITS,
  IDENTITY_CERTIFICATES,
  PROTOCOL_LIMITS,
  type ProtocolLimits,
  RANGE_BLOCKS_MAX,
  SNAPSHOT_FETCH,
  TOPIC_LIMITS,
  TOPIC_NAMES,
  type TopicName,
  wireNames,
} from '../../src/network/topics.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'
import { bytes, code, document, table } from './markdown.ts'

/** Stands where the first 16 hex digits of a network's genesis hash go; as long as they are. */
const NETWORK = '‹genesis hash16›'
const names = wireNames(NETWORK as GenesisHash)

type ProtocolName = keyof typeof PROTOCOL_LIMITS

const PROTOCOLS: Readonly<Record<ProtocolName, string>> = {
  consensusChannel:
    'proposals, votes, openings, timeouts and certificates, between validators; one stream each way that stays',
  blocks:
    'blocks by hash and by range, and how far a node has got; requests and answers on streams that stay',
  snapshots: 'snapshots of the state in chunks, and proofs of validator-set changes, for nodes that join',
  identities: "a node's identity certificate, for one that has just connected",
  validation: "TrustChain's calls: one envelope each way per stream",
}

const TOPICS: Readonly<Record<TopicName, string>> = {
  transactions: 'validation requests as transactions, many in a message',
  blocks: 'final blocks with their certificates, for nodes that follow',
  mined: 'sealed blocks of miners, on networks that mine',
  identities: 'identity certificates: which peer id and addresses a node has, signed with its ML-DSA key',
}

const LIBRARY: readonly (readonly [id: string, use: string])[] = [
  [names.kademlia, 'finding peers'],
  [names.gossip, 'the topics below'],
  [names.identify, 'addresses and protocols of a peer'],
  [names.identifyPush, 'changes of them'],
  [names.ping, 'round trips, and whether a connection still lives'],
]

const number = (value: number): string => value.toLocaleString('en-US')

function protocolRow([name, limits]: [string, ProtocolLimits]): string[] {
  return [
    code(names[name as ProtocolName]),
    bytes(limits.frameBytesMax),
    `${limits.firstByteDeadlineMs / 1_000} s`,
    `${limits.streamsInboundMax} in, ${limits.streamsOutboundMax} out`,
    `${number(limits.messagesPerSecond)}/s, ${number(limits.messagesBurst)} at once`,
    `${bytes(limits.bytesPerSecond)}/s, ${bytes(limits.bytesBurst)} at once`,
  ]
}

/** Plain numbers of a table of bounds; their names say the unit. */
function bounds(of: Readonly<Record<string, unknown>>, prefix = ''): string[][] {
  return Object.entries(of).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null
      ? bounds(value as Record<string, unknown>, `${prefix}${name}.`)
      : [[code(prefix + name), /bytes/i.test(name) ? bytes(Number(value)) : number(Number(value))]],
  )
}

export function protocolsDocument(): string {
  return document([
    '# Protocol ids, topics and bounds',
    'Everything that crosses the network, from `src/network/topics.ts`. How the frames look is in\n' +
      '[src/network](../../src/network/README.md), the session under every stream in [src/session](../../src/session/README.md).\n' +
      `\`${NETWORK}\` stands for the first 16 hex digits of the network's genesis hash.`,
    '## Protocols of our own',
    table(
      ['id', 'for'],
      Object.entries(PROTOCOLS).map(([name, use]) => [code(names[name as ProtocolName]), use]),
    ),
    'Bounds for one connection; who exceeds them is cut or waits. A frame is a length and its bytes. An answer with blocks\n' +
      `has at most ${number(RANGE_BLOCKS_MAX)} blocks and ${bytes(BLOCKS_ANSWER_BYTES_MAX)}.`,
    table(
      ['id', 'frame at most', 'first byte within', 'streams', 'messages', 'bytes'],
      Object.entries(PROTOCOL_LIMITS).map(protocolRow),
    ),
    "## The libraries' protocols",
    table(
      ['id', 'for'],
      LIBRARY.map(([id, use]) => [code(id), use]),
    ),
    '## Gossip topics',
    table(
      ['topic', 'what travels', 'message at most', 'judged at once', 'kept while nobody subscribes'],
      TOPIC_NAMES.map((name) => {
        const limits = TOPIC_LIMITS[name]
        return [
          code(names.topics[name]),
          TOPICS[name],
          bytes(limits.messageBytesMax),
          number(limits.validationsInFlightMax),
          number(limits.unsentMessagesMax),
        ]
      }),
    ),
    '## Other bounds',
    'Times in milliseconds unless the name says otherwise.',
    '### Connections',
    table(['bound', 'value'], bounds(HOST_LIMITS)),
    '### Block requests',
    table(['bound', 'value'], bounds(BLOCK_FETCH)),
    '### Snapshot requests',
    table(['bound', 'value'], bounds(SNAPSHOT_FETCH)),
    '### Identity certificates',
    table(['bound', 'value'], bounds(IDENTITY_CERTIFICATES)),
  ])
}
