/**
 * The static bond between a node's two keys (network.md, "Identity"): a statement signed by the ML-DSA identity
 * and by the Ed25519 network key, with the addresses where the node is found. ML-DSA comes in by a port.
 */

import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { SIGNATURE_BYTES } from '../codec/certificates.ts'
import { PUBLIC_KEY_BYTES, validatorId } from '../codec/genesis.ts'
import {
  bytesFixed,
  counter,
  decode,
  encode,
  hexBytes,
  listOf,
  record,
  type Schema,
  text,
} from '../codec/schema.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { GenesisHash, UnixMs, ValidatorId } from '../types/primitives.ts'
import { IDENTITY_CERTIFICATES, TOPIC_LIMITS } from './topics.ts'

/** What is signed. */
export interface IdentityStatement {
  readonly genesisHash: GenesisHash
  /** libp2p peer id, base58. */
  readonly peerId: string
  /** ML-DSA-65 public key, 1,952 bytes. */
  readonly mlDsaPublicKey: Uint8Array
  readonly notBefore: UnixMs
  /** The highest of one identity counts; a network key is rotated by a higher one. */
  readonly sequence: number
  /** Multiaddrs without a peer id at the end. */
  readonly addresses: readonly string[]
}

/** A statement with both signatures. */
export interface IdentityCertificate {
  readonly statement: IdentityStatement
  /** ML-DSA-65 under the context `identity-certificate`, 3,309 bytes. */
  readonly mlDsaSignature: Uint8Array
  /** Ed25519, 64 bytes. */
  readonly networkSignature: Uint8Array
}

/** A certificate whose two signatures were verified, with its bytes and the identity that it speaks for. */
export interface KnownIdentity {
  readonly id: ValidatorId
  readonly statement: IdentityStatement
  readonly bytes: Uint8Array
}

/** Our ML-DSA key; `sign` uses the context `identity-certificate`. */
export interface IdentitySigner {
  readonly publicKey: Uint8Array
  sign(payload: Uint8Array): Uint8Array
}

/** Verifies ML-DSA-65 under the context `identity-certificate`. */
export type IdentityVerifier = (
  publicKey: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

/** Why a certificate is not believed. */
export type IdentityRefusal =
  | 'malformed'
  | 'wrong-genesis'
  | 'not-yet-valid'
  | 'invalid-peer-id'
  | 'invalid-identity-signature'
  | 'invalid-network-signature'

/** Ed25519 has no context strings: this prefix keeps its signatures here from meaning anything elsewhere. */
const NETWORK_PREFIX = Buffer.from('hypermesh/identity-certificate/v1\0')

const statementSchema: Schema<IdentityStatement> = record<IdentityStatement>({
  genesisHash: hexBytes<GenesisHash>(32),
  peerId: text(128),
  mlDsaPublicKey: bytesFixed(PUBLIC_KEY_BYTES),
  notBefore: counter(),
  sequence: counter(),
  addresses: listOf(text(IDENTITY_CERTIFICATES.addressBytesMax), IDENTITY_CERTIFICATES.addressesMax),
})

const certificateSchema: Schema<IdentityCertificate> = record<IdentityCertificate>({
  statement: statementSchema,
  mlDsaSignature: bytesFixed(SIGNATURE_BYTES),
  networkSignature: bytesFixed(64),
})

/** Signs a statement with both keys. @returns canonical bytes of the certificate */
export async function signIdentity(
  statement: IdentityStatement,
  signer: IdentitySigner,
  networkKey: Ed25519PrivateKey,
): Promise<Uint8Array> {
  const payload = encode(statementSchema, statement)
  return encode(certificateSchema, {
    statement,
    mlDsaSignature: signer.sign(payload),
    networkSignature: await networkKey.sign(Buffer.concat([NETWORK_PREFIX, payload])),
  })
}

/** Reads a certificate; believes nothing yet. */
export function decodeIdentity(bytes: Uint8Array): Result<IdentityCertificate, 'malformed'> {
  return decode(certificateSchema, bytes, TOPIC_LIMITS.identities.messageBytesMax)
}

/** Checks a certificate's network, time and both signatures. @param nowMs Unix time in milliseconds */
export async function verifyIdentity(
  certificate: IdentityCertificate,
  genesisHash: GenesisHash,
  nowMs: number,
  verify: IdentityVerifier,
): Promise<Result<Omit<KnownIdentity, 'bytes'>, IdentityRefusal>> {
  const { statement, mlDsaSignature, networkSignature } = certificate
  if (statement.genesisHash !== genesisHash) return refuse('wrong-genesis', statement.genesisHash)
  if (statement.notBefore > nowMs + IDENTITY_CERTIFICATES.clockSkewMaxMs) {
    return refuse('not-yet-valid', `begins ${statement.notBefore - nowMs} ms from now`)
  }
  const payload = encode(statementSchema, statement)
  if (!(await networkKeySigned(statement.peerId, payload, networkSignature))) {
    return networkSignatureRefusal(statement.peerId)
  }
  if (!(await verify(statement.mlDsaPublicKey, payload, mlDsaSignature))) {
    return refuse('invalid-identity-signature', 'the ML-DSA signature does not verify')
  }
  return ok({ id: validatorId(statement.mlDsaPublicKey), statement })
}

async function networkKeySigned(
  peerId: string,
  payload: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  try {
    const { publicKey, type } = peerIdFromString(peerId)
    if (type !== 'Ed25519' || publicKey === undefined) return false
    return await publicKey.verify(Buffer.concat([NETWORK_PREFIX, payload]), signature)
  } catch {
    return false
  }
}

function networkSignatureRefusal(peerId: string): Result<never, IdentityRefusal> {
  try {
    if (peerIdFromString(peerId).type === 'Ed25519') {
      return refuse('invalid-network-signature', 'the Ed25519 signature does not verify')
    }
  } catch {
    // Not a peer id at all; said below.
  }
  return refuse('invalid-peer-id', 'the peer id is not an Ed25519 one')
}
