/**
 * Falcon-1024 by @noble/post-quantum, in the padded form: every signature has 1,280 bytes. For operators' keys only.
 * Falcon has no context strings, so the context is in front of the message, with its length.
 */

import { falcon1024padded } from '@noble/post-quantum/falcon.js'
import { assert } from '../types/assert.ts'

/** Falcon specification 1.2, table 3.3 and §3.11.6; the seed is what the library expands a key from. Bytes. */
export const FALCON_1024 = { seedBytes: 48, publicKeyBytes: 1_793, signatureBytes: 1_280 } as const

/** A key pair that can sign. */
export interface FalconKeyPair {
  readonly publicKey: Uint8Array
  /** Randomised; 1,280 bytes. Some 70 ms. */
  sign(message: Uint8Array, context: Uint8Array): Uint8Array
}

function inContext(message: Uint8Array, context: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + context.length + message.length)
  bytes[0] = context.length
  bytes.set(context, 1)
  bytes.set(message, 1 + context.length)
  return bytes
}

/** Expands a key; takes a second or two. @param seed 48 bytes */
export function falconKeyPair(seed: Uint8Array): FalconKeyPair {
  assert(seed.length === FALCON_1024.seedBytes, `a Falcon seed has 48 bytes, not ${seed.length}`)
  const { publicKey, secretKey } = falcon1024padded.keygen(seed)
  return {
    publicKey,
    sign: (message, context) => falcon1024padded.sign(inContext(message, context), secretKey),
  }
}

/** Whether a signature is right; false for keys and signatures of another length or that are none. Some 5 ms. */
export function verifyFalcon(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  context: Uint8Array,
): boolean {
  if (publicKey.length !== FALCON_1024.publicKeyBytes) return false
  if (signature.length !== FALCON_1024.signatureBytes) return false
  try {
    return falcon1024padded.verify(signature, inContext(message, context), publicKey)
  } catch {
    // The library throws for what is no point of its encoding: no signature either way.
    return false
  }
}
