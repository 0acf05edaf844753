/** The names under which the ledger knows a request: its id's hash, its node's hash, and what it would spend. */
import { sha256TaggedHex, u64le } from '../codec/hashes.ts'
import { fromHex } from '../codec/hex.ts'
import { utf8ToBytes } from '../codec/utf8.ts'
import type { GenesisHash, Hex32, Nullifier, RequestKey } from '../types/primitives.ts'
import type { HashedTransaction, ValidationTransaction } from '../types/transaction.ts'

export interface RequestIdentity {
  readonly requestKey: RequestKey
  readonly requestIdHash: Hex32
  /** Spent when the request is judged Valid. */
  readonly nullifier: Nullifier
  /** For four-proof sets: whose sequence advances when it is Valid, and to what. */
  readonly sequence: { readonly nodeIdHash: Hex32; readonly number: bigint } | null
}

/**
 * Hash under which a request id is kept.
 * @param requestId `request_id` of a certificate request; the request key's hex for a four-proof set
 */
export function requestIdHash(requestId: string): Hex32 {
  return sha256TaggedHex<Hex32>('requestId', utf8ToBytes(requestId))
}

const knownIdHashes = new WeakMap<ValidationTransaction, Hex32>()

/** {@link requestIdHash} of a request, worked out once: everything that looks it up asks for it. */
export function idHashOf({ transaction, requestKey }: HashedTransaction<ValidationTransaction>): Hex32 {
  const known = knownIdHashes.get(transaction)
  if (known !== undefined) return known
  const { kind, request } = transaction
  const hash = requestIdHash(kind === 'validate-certificate' ? request.requestId : requestKey)
  knownIdHashes.set(transaction, hash)
  return hash
}

/** Hash under which a node's last sequence number is kept. */
export function nodeIdHash(nodeId: string): Hex32 {
  return sha256TaggedHex<Hex32>('nodeId', utf8ToBytes(nodeId))
}

/**
 * What a time proof spends: SHA-256("hypermesh/nullifier/time/v1" ‖ network ‖ len(node_id) ‖ node_id ‖ nonce),
 * spec/four-proofs.md "Replay and idempotence". The network is the genesis hash: names are not unique.
 * @param nonce the nonce of a certificate request, the sequence number of a four-proof set
 */
export function timeNullifier(genesisHash: GenesisHash, nodeId: string, nonce: bigint): Nullifier {
  return sha256TaggedHex<Nullifier>('timeNullifier', fromHex(genesisHash), utf8ToBytes(nodeId), u64le(nonce))
}

/** Derives all names of a request. */
export function requestIdentity(
  hashed: HashedTransaction<ValidationTransaction>,
  genesisHash: GenesisHash,
): RequestIdentity {
  const { transaction, requestKey } = hashed
  const requestIdHash = idHashOf(hashed)
  if (transaction.kind === 'validate-certificate') {
    const { certificateRequest } = transaction.request
    const { nonce } = certificateRequest.consensusProof.timeProof
    return {
      requestKey,
      requestIdHash,
      nullifier: timeNullifier(genesisHash, certificateRequest.nodeId, nonce),
      sequence: null,
    }
  }
  const { nodeId, proofSet } = transaction.request
  const { sequenceNumber } = proofSet.timeProof
  return {
    requestKey,
    requestIdHash,
    nullifier: timeNullifier(genesisHash, nodeId, sequenceNumber),
    sequence: { nodeIdHash: nodeIdHash(nodeId), number: sequenceNumber },
  }
}
