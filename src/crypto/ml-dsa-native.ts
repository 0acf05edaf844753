/**
 * ML-DSA-65 by `node:crypto` (OpenSSL 3.5 in Node 24.7 and later). Keys enter as DER built by prefix: the
 * `raw-*` formats are younger than the algorithm. It does not fall back: `selectMlDsa65` does.
 */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { assert } from '../types/assert.ts'
import { ML_DSA_65, type MlDsa65, type MlDsaKeyPair, type MlDsaPublicKey } from './ml-dsa.ts'

/** RFC 9881 §6: PrivateKeyInfo with id-ml-dsa-65 and the seed-only choice `[0] OCTET STRING (SIZE (32))`. */
const PKCS8_SEED_PREFIX = Buffer.from('3034020100300b060960864801650304031204228020', 'hex')

/** RFC 9881 §4: SubjectPublicKeyInfo with id-ml-dsa-65 and a BIT STRING of 1,952 bytes. */
const SPKI_PREFIX = Buffer.from('308207b2300b0609608648016503040312038207a100', 'hex')

/** What `sign` and `verify` take for a key with a context. */
type WithContext = (
  key: KeyObject,
  context: Uint8Array,
) => KeyObject | { key: KeyObject; context: Uint8Array }

/** The documented form. The runtime throws and catches two errors inside before it finds the key in it. */
const asOptions: WithContext = (key, context) => ({ key, context })

/** The context as a property of the key itself, which is found at once: a fifth of a verification saved. */
const asProperty: WithContext = (key, context) => Object.assign(key, { context })

class NativePublicKey implements MlDsaPublicKey {
  readonly raw: Uint8Array
  readonly #key: KeyObject
  readonly #withContext: WithContext

  constructor(raw: Uint8Array, key: KeyObject, withContext: WithContext) {
    this.raw = raw
    this.#key = key
    this.#withContext = withContext
  }

  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): boolean {
    if (signature.byteLength !== ML_DSA_65.signatureBytes) return false
    return verify(null, message, this.#withContext(this.#key, context), signature)
  }
}

class NativeKeyPair implements MlDsaKeyPair {
  readonly publicKey: MlDsaPublicKey
  readonly #privateKey: KeyObject
  readonly #withContext: WithContext

  constructor(privateKey: KeyObject, withContext: WithContext) {
    const publicKey = createPublicKey(privateKey)
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    const raw = Uint8Array.from(spki.subarray(SPKI_PREFIX.byteLength))
    this.publicKey = new NativePublicKey(raw, publicKey, withContext)
    this.#privateKey = privateKey
    this.#withContext = withContext
  }

  sign(message: Uint8Array, context: Uint8Array): Uint8Array {
    return sign(null, message, this.#withContext(this.#privateKey, context))
  }
}

const implementation = (withContext: WithContext): MlDsa65 => ({
  name: 'native',

  keyPairFromSeed(seed) {
    assert(seed.byteLength === ML_DSA_65.seedBytes, `an ML-DSA seed has 32 bytes, not ${seed.byteLength}`)
    const key = Buffer.concat([PKCS8_SEED_PREFIX, seed])
    return new NativeKeyPair(createPrivateKey({ key, format: 'der', type: 'pkcs8' }), withContext)
  },

  publicKey(raw) {
    if (raw.byteLength !== ML_DSA_65.publicKeyBytes) return undefined
    const own = Uint8Array.from(raw)
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, own]), format: 'der', type: 'spki' })
    return new NativePublicKey(own, key, withContext)
  },
})

/** The native implementation, or undefined where this runtime's `node:crypto` has no ML-DSA. */
export function nativeMlDsa65(): MlDsa65 | undefined {
  try {
    const { publicKey, privateKey } = generateKeyPairSync('ml-dsa-65')
    return implementation(isContextReadFromKey(publicKey, privateKey) ? asProperty : asOptions)
  } catch {
    return undefined
  }
}

/** Whether this runtime reads the context of a key's property, when signing and when verifying. */
function isContextReadFromKey(publicKey: KeyObject, privateKey: KeyObject): boolean {
  const message = Buffer.from('hypermesh')
  const context = Buffer.from('context')
  const signature = sign(null, message, asProperty(privateKey, context))
  return (
    verify(null, message, asOptions(publicKey, context), signature) &&
    verify(null, message, asProperty(publicKey, context), signature) &&
    !verify(null, message, asProperty(publicKey, Buffer.from('another')), signature)
  )
}
