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
import { networkKeyFromSeed } from '../network/network-key.ts'
import {
  decodeEnvelopeResponse,
  ENVELOPE_BYTES_MAX,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
} from '../rpc/envelope.ts'
import { CONSENSUS_PROTOCOL } from '../rpc/libp2p/consensus-protocol.ts'
import { readToEnd } from '../rpc/libp2p/read-to-end.ts'
import { AuthenticatedPeers } from '../session/authenticated-peers.ts'
import { postQuantumQuic } from '../session/quic-transport.ts'
import { Sessions } from '../session/sessions.ts'
import { postQuantumEncrypter } from '../session/tcp-encrypter.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import type { RequestKind } from './validation-client.ts'

const METHODS: Readonly<Record<RequestKind, string>> = {
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
    const stream = await node.dialProtocol(address, CONSENSUS_PROTOCOL, { signal })
    const id = randomUUID()
    const chunks: Uint8Array[] = []
    let length = 0
    const answer = readToEnd(
      stream,
      (bytes) => {
        length += bytes.length
        if (length > ENVELOPE_BYTES_MAX) throw new Error('the answer is too long')
        chunks.push(bytes)
      },
      signal,
    )
    const request = { id, service: 'hypermesh', method: METHODS[kind], payload, metadata: [] }
    stream.send(encodeEnvelopeRequest(request))
    // Together: a node that refuses early may reset what we still write.
    await Promise.all([stream.close({ signal }), answer])
    const response = decodeEnvelopeResponse(Buffer.concat(chunks))
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
