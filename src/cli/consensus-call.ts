/**
 * Asks a node for a verdict over libp2p: `/hypermesh/consensus/1.0.0` on a post-quantum session under a throwaway
 * identity. A client only: it listens on nothing, keeps nothing and joins no gossip.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { fromHex } from '../codec/hex.ts'
import { selectMlDsa65, selectMlKem768 } from '../crypto/select.ts'
import { call } from '../network/calls.ts'
import { networkKeyFromSeed } from '../network/network-key.ts'
import { wireNames } from '../network/topics.ts'
import {
  decodeEnvelopeResponse,
  ENVELOPE_BYTES_MAX,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
} from '../rpc/envelope.ts'
import { AuthenticatedPeers } from '../session/authenticated-peers.ts'
import { postQuantumQuic } from '../session/quic-transport.ts'
import { Sessions } from '../session/sessions.ts'
import { postQuantumEncrypter } from '../session/tcp-encrypter.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import type { RequestKind } from './validation-client.ts'

/** Of the service `hypermesh`. */
export const METHODS: Readonly<Record<RequestKind, string>> = {
  certificate: 'consensus/validate_certificate',
  'four-proof': 'consensus/validate_proofs',
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** A client's libp2p node under keys that nobody will see again. */
async function throwawayNode(genesisHash: GenesisHash): Promise<Libp2p> {
  const networkKey = await networkKeyFromSeed(randomBytes(32))
  const mlDsa = selectMlDsa65()
  const sessions = new Sessions({
    identity: {
      peerId: networkKey.peerId,
      keyPair: mlDsa.keyPairFromSeed(randomBytes(32)),
      genesisHash: fromHex(genesisHash),
    },
    // The multiaddr's peer id says who must answer; that he is of the network, the genesis hash.
    admit: () => true,
    peers: new AuthenticatedPeers(),
    mlDsa,
    mlKem: selectMlKem768(),
    logger: SILENT,
  })
  return createLibp2p({
    privateKey: networkKey.privateKey,
    addresses: { listen: [] },
    transports: [tcp(), postQuantumQuic(sessions)],
    connectionEncrypters: [postQuantumEncrypter(sessions)],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
  })
}

/**
 * Sends one request in an envelope.
 * @param genesisHash of the network that the node at `address` belongs to
 * @returns the answer's envelope
 * @throws CliError `E_NO_ANSWER` (69) when nobody answers or the session is refused
 */
export async function callConsensus(
  address: Multiaddr,
  genesisHash: GenesisHash,
  kind: RequestKind,
  payload: Uint8Array,
  timeoutMs: number,
): Promise<EnvelopeResponse> {
  const node = await throwawayNode(genesisHash)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const connection = await node.dial(address, { signal })
    const id = randomUUID()
    const request = encodeEnvelopeRequest({
      id,
      service: 'hypermesh',
      method: METHODS[kind],
      payload,
      metadata: [],
    })
    const { validation } = wireNames(genesisHash)
    const bounds = { answerBytesMax: ENVELOPE_BYTES_MAX, deadlineMs: timeoutMs }
    const answer = await call(connection, validation, request, bounds)
    const response = decodeEnvelopeResponse(answer)
    if (!response.ok) throw new Error(`the answer is no envelope: ${response.detail}`)
    if (response.value.requestId !== id && response.value.requestId !== '') {
      throw new Error('the answer is to another request')
    }
    return response.value
  } catch (error) {
    throw noAnswer(address, error)
  } finally {
    await node.stop()
  }
}

function noAnswer(address: Multiaddr, error: unknown): CliError {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error]
  const why = errors.map((entry) => (entry instanceof Error ? entry.message : String(entry))).join('; ')
  return new CliError('E_NO_ANSWER', `no answer from ${address.toString()}`, {
    why,
    fix: why.includes('wrong-genesis')
      ? 'name the network of that node with --data or --genesis'
      : 'check the address and its peer id ("hypermesh status" prints it), and that the node runs',
    exitCode: EXIT.network,
    cause: error,
  })
}
