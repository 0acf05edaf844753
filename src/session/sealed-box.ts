/** AES-256-GCM of one handshake message under a key that is used once, hence the constant nonce. */

import { createCipheriv, createDecipheriv } from 'node:crypto'

const NONCE = new Uint8Array(12)
const TAG_BYTES = 16

/** @param key 32 bytes, for this message only @returns ciphertext and 16-byte tag */
export function sealBox(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, NONCE)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** @returns the plaintext, or undefined when the box was not sealed under this key or was altered */
export function openBox(key: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.byteLength < TAG_BYTES) return undefined
  const tagAt = box.byteLength - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(box.subarray(tagAt))
  const plaintext = decipher.update(box.subarray(0, tagAt))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plaintext
}
