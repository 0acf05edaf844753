/**
 * An operation as the transaction that proposes it: what is signed, and the bytes that go out. Loaded with the first
 * proposal, for canonical bytes are more than asking needs. Holds no key: who signs is the caller's.
 */
import { bytesToBase64Url } from '../codec/base64-url.ts'
import { SIGNATURE_BYTES } from '../codec/certificates.ts'
import { accountId, PUBLIC_KEY_BYTES } from '../codec/genesis.ts'
import { operationSigningPayload } from '../codec/signing-payloads.ts'
import { hashTransaction } from '../codec/transaction.ts'
import { SIGNATURE_CONTEXTS } from '../receipt.ts'
import type { AccountId, GenesisHash } from '../types/primitives.ts'
import type { OperationContent } from '../types/transaction.ts'
import { ClientError } from './client-error.ts'

/** Signs for a validator's account. The key stays with whoever made this. */
export interface OperationSigner {
  /** ML-DSA-65, 1,952 bytes: of the account. */
  readonly publicKey: Uint8Array
  /**
   * ML-DSA-65 with a context string (FIPS 204 algorithm 2).
   * @param payload to be signed as it is
   * @param context bytes of `hypermesh/operation/v1`
   * @returns 3,309 bytes
   */
  readonly sign: (payload: Uint8Array, context: Uint8Array) => Uint8Array | Promise<Uint8Array>
}

/** A signed transaction. */
export interface SignedOperation {
  /** Request key of the transaction: the id of the operation. */
  readonly id: string
  /** The body that the API takes. */
  readonly body: string
}

const EXIT_USAGE = 64

/** The account that a signer signs for. @throws ClientError `E_SIGNER` when it is none, or its key has another length */
export function accountOf(signer: OperationSigner): AccountId {
  if (!(signer?.publicKey instanceof Uint8Array) || typeof signer.sign !== 'function') {
    throw new ClientError('E_SIGNER', 'option "signer" cannot be used', {
      why: 'it has no "publicKey" of bytes, or no function "sign"',
      fix: 'give the ML-DSA-65 key of the account and what signs with it',
      exitCode: EXIT_USAGE,
    })
  }
  if (signer.publicKey.length !== PUBLIC_KEY_BYTES) {
    const { length } = signer.publicKey
    throw new ClientError('E_SIGNER', `the public key has ${length} bytes`, {
      fix: 'give the ML-DSA-65 key of the account, which has 1,952',
      exitCode: EXIT_USAGE,
    })
  }
  return accountId(signer.publicKey)
}

/** @throws ClientError `E_SIGNER` for a signature of another length; what `sign` throws */
export async function signedOperation(
  network: GenesisHash,
  signer: OperationSigner,
  content: Omit<OperationContent, 'publicKey'>,
): Promise<SignedOperation> {
  const all = { ...content, publicKey: signer.publicKey }
  const payload = operationSigningPayload(network, all)
  const signature = await signer.sign(payload, SIGNATURE_CONTEXTS.operation)
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) {
    const length = signature instanceof Uint8Array ? signature.length : 'no'
    throw new ClientError('E_SIGNER', `the signature has ${length} bytes`, {
      fix: 'sign with ML-DSA-65, which gives 3,309',
      exitCode: EXIT_USAGE,
    })
  }
  const { requestKey, bytes } = hashTransaction({ kind: 'operation', ...all, signature })
  return { id: requestKey, body: JSON.stringify({ transaction: base64Of(bytes) }) }
}

/** RFC 4648 §4, padded: the alphabet that the API takes. */
function base64Of(bytes: Uint8Array): string {
  const unpadded = bytesToBase64Url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return unpadded.padEnd(Math.ceil(unpadded.length / 4) * 4, '=')
}
