/**
 * An operator's own key on disk: a seed of either scheme, in a file that only its owner can read. It is not the key of
 * the account, so it may lie where requests are attested, away from the stake.
 */

import { randomBytes } from 'node:crypto'
import { fromHex, isHex, toHex } from '../codec/hex.ts'
import { KEY_SCHEMES, type KeyScheme } from '../types/operator.ts'
import { SIGNATURE_CONTEXTS } from './contexts.ts'
import { FALCON_1024, falconKeyPair } from './falcon.ts'
import { KeystoreError, readSecretFile, writeSecretFile } from './key-file.ts'
import { ML_DSA_65, type MlDsa65 } from './ml-dsa.ts'

/** What an operator signs. */
export type OperatorSignature = 'operator-key' | 'stake-attestation'

/** A key that is ready to sign. The seed stays inside. */
export interface OperatorKey {
  readonly scheme: KeyScheme
  readonly publicKey: Uint8Array
  sign(message: Uint8Array, purpose: OperatorSignature): Uint8Array
}

const VERSION = 1
const SEED_BYTES: Readonly<Record<KeyScheme, number>> = {
  'ml-dsa-65': ML_DSA_65.seedBytes,
  'falcon-1024': FALCON_1024.seedBytes,
}

function expand(scheme: KeyScheme, seed: Uint8Array, mlDsa: MlDsa65): OperatorKey {
  if (scheme === 'falcon-1024') {
    const pair = falconKeyPair(seed)
    return {
      scheme,
      publicKey: pair.publicKey,
      sign: (message, purpose) => pair.sign(message, SIGNATURE_CONTEXTS[purpose]),
    }
  }
  const pair = mlDsa.keyPairFromSeed(seed)
  return {
    scheme,
    publicKey: pair.publicKey.raw,
    sign: (message, purpose) => pair.sign(message, SIGNATURE_CONTEXTS[purpose]),
  }
}

/** Makes a key and keeps it. @throws KeystoreError, E_KEY_EXISTS among others: a key is never overwritten */
export async function createOperatorKey(
  path: string,
  scheme: KeyScheme,
  mlDsa: MlDsa65,
): Promise<OperatorKey> {
  const seed = randomBytes(SEED_BYTES[scheme])
  const key = expand(scheme, seed, mlDsa)
  const file = { version: VERSION, scheme, publicKey: toHex(key.publicKey), seed: toHex(seed) }
  await writeSecretFile(path, `${JSON.stringify(file, null, 2)}\n`)
  return key
}

/** Loads a key. A Falcon key takes a second or two. @throws KeystoreError with what is wrong and what to do */
export async function loadOperatorKey(path: string, mlDsa: MlDsa65): Promise<OperatorKey> {
  const { scheme, seed, publicKey } = parse(path, await readSecretFile(path))
  const key = expand(scheme, seed, mlDsa)
  if (toHex(key.publicKey) !== publicKey) {
    throw new KeystoreError('E_KEY_MISMATCH', `the key file ${path} contradicts itself`, {
      why: 'the public key does not come from the seed: one of the two was changed',
      fix: 'restore the file from your backup',
    })
  }
  return key
}

function parse(path: string, text: string): { scheme: KeyScheme; seed: Uint8Array; publicKey: unknown } {
  let file: Record<string, unknown>
  try {
    file = { ...(JSON.parse(text) as object) }
  } catch {
    // Not the parser's message: it quotes the text, and the text is a secret.
    throw malformed(path, 'it is not JSON')
  }
  const { version, seed, publicKey } = file
  if (version !== VERSION) throw malformed(path, `its version is not ${VERSION}`)
  const scheme = KEY_SCHEMES.find((known) => known === file['scheme'])
  if (scheme === undefined) throw malformed(path, `its scheme is not ${KEY_SCHEMES.join(' or ')}`)
  if (typeof seed !== 'string' || !isHex(seed, SEED_BYTES[scheme])) {
    throw malformed(path, `its seed is not ${SEED_BYTES[scheme]} bytes of hex`)
  }
  return { scheme, seed: fromHex(seed), publicKey }
}

function malformed(path: string, why: string): KeystoreError {
  return new KeystoreError('E_KEY_MALFORMED', `the key file ${path} cannot be used`, {
    why,
    fix: 'restore it from your backup',
  })
}
