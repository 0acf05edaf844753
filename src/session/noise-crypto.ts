/**
 * The ciphers of Noise under imported keys. The library hands its keys to `node:crypto` as bytes, call by call; the
 * runtime then throws and catches two errors inside before it takes them, which costs several times the cipher.
 * Same bytes on the wire.
 */

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto } from '@libp2p/noise/crypto'
import { Uint8ArrayList } from 'uint8arraylist'

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16

/** Noise keeps one array for each key and never writes to it. */
const imported = new WeakMap<Uint8Array, KeyObject>()

function keyObject(key: Uint8Array): KeyObject {
  let object = imported.get(key)
  if (object === undefined) {
    object = createSecretKey(key)
    imported.set(key, object)
  }
  return object
}

/** For `noise({ crypto })`: all else is the library's own. */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,

  chaCha20Poly1305Encrypt(plaintext, nonce, associated, key) {
    const cipher = createCipheriv(CIPHER, keyObject(key), nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(associated, { plaintextLength: plaintext.byteLength })
    const sealed = new Uint8ArrayList()
    for (const part of plaintext instanceof Uint8Array ? [plaintext] : plaintext) {
      sealed.append(cipher.update(part))
    }
    cipher.final()
    sealed.append(cipher.getAuthTag())
    return sealed
  },

  /** @throws Error when the text was not sealed under this key and nonce, or was altered */
  chaCha20Poly1305Decrypt(ciphertext, nonce, associated, key) {
    const tagAt = ciphertext.byteLength - TAG_BYTES
    const decipher = createDecipheriv(CIPHER, keyObject(key), nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(associated, { plaintextLength: tagAt })
    decipher.setAuthTag(ciphertext.subarray(tagAt))
    const opened = new Uint8ArrayList()
    const text =
      ciphertext instanceof Uint8Array ? [ciphertext.subarray(0, tagAt)] : ciphertext.sublist(0, tagAt)
    for (const part of text) opened.append(decipher.update(part))
    decipher.final()
    return opened
  },
}
