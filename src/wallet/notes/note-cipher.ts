/**
 * How a note is told its owner: ML-KEM-768 to the key of the address, then AES-256-GCM under a key that is bound to the
 * note's commitment. Nobody but the owner learns anything; a ciphertext says not even whose it is, as far as ML-KEM's do
 * not (README.md).
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { ML_KEM_768, type MlKem768, type MlKemKeyPair } from '../../crypto/ml-kem.ts'
import { decodeElements } from '../../shielded/notes/digest-bytes.ts'
import { NOTE_RANDOMNESS_BYTES, type Note, noteCommitment } from '../../shielded/notes/keys.ts'
import { NOTE_RANDOMNESS_LANES } from '../../shielded/notes/note-hashes.ts'
import { assert } from '../../types/assert.ts'
import { NOTE_CIPHERTEXT_BYTES } from '../../types/shielded.ts'
import type { WalletKeys } from '../keys.ts'
import { WALLET_TAGS } from '../tags.ts'

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const TAG_BYTES = 16
/** Every key is of a shared secret of its own and used once, so the nonce need not differ. */
const NONCE = new Uint8Array(12)
const PLAINTEXT_VERSION = 1
const VALUE_AT = 1
const RANDOMNESS_AT = VALUE_AT + 8
const PLAINTEXT_BYTES = RANDOMNESS_AT + NOTE_RANDOMNESS_BYTES
const SEALED_AT = ML_KEM_768.ciphertextBytes

/** RFC 5869, HKDF with SHA-256: no salt; info is the tag and the commitment. */
function noteKey(sharedSecret: Uint8Array, commitment: Uint8Array): Uint8Array {
  const info = Buffer.concat([Buffer.from(WALLET_TAGS.noteKey), commitment])
  return new Uint8Array(hkdfSync('sha256', sharedSecret, new Uint8Array(0), info, KEY_BYTES))
}

function plaintextOf({ value, randomness }: Pick<Note, 'value' | 'randomness'>): Uint8Array {
  const bytes = Buffer.alloc(PLAINTEXT_BYTES)
  bytes[0] = PLAINTEXT_VERSION
  bytes.writeBigUInt64LE(value, VALUE_AT)
  bytes.set(randomness, RANDOMNESS_AT)
  return bytes
}

function sealTo(kemPublicKey: Uint8Array, note: Note, mlKem: MlKem768): Uint8Array {
  const encapsulated = mlKem.encapsulate(kemPublicKey)
  assert(encapsulated.ok, 'the key of an address that was read is an ML-KEM key')
  const { ciphertext, sharedSecret } = encapsulated.value
  const cipher = createCipheriv(ALGORITHM, noteKey(sharedSecret, noteCommitment(note)), NONCE)
  const sealed = [cipher.update(plaintextOf(note)), cipher.final(), cipher.getAuthTag()]
  const whole = Buffer.concat([ciphertext, ...sealed])
  assert(whole.length === NOTE_CIPHERTEXT_BYTES, `a note ciphertext of ${whole.length} bytes`)
  return new Uint8Array(whole)
}

/**
 * Encrypts a note to whom it is paid.
 * @param kemPublicKey of the address that has the note's owner
 * @returns {@link NOTE_CIPHERTEXT_BYTES} bytes
 */
export function sealNote(note: Note, kemPublicKey: Uint8Array, mlKem: MlKem768): Uint8Array {
  return sealTo(kemPublicKey, note, mlKem)
}

/** The same for a note that nobody need ever read: to a key that is thrown away, so that it looks like any other. */
export function sealUnreadable(note: Note, mlKem: MlKem768): Uint8Array {
  return sealTo(mlKem.generate().publicKey, note, mlKem)
}

function opened(sealed: Uint8Array, key: Uint8Array): Buffer | null {
  const decipher = createDecipheriv(ALGORITHM, key, NONCE, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const bytes = decipher.update(sealed.subarray(0, -TAG_BYTES))
  try {
    decipher.final()
    return bytes
  } catch {
    // The tag does not fit: it is another's note.
    return null
  }
}

/**
 * Looks whether a note is the wallet's.
 * @param commitment as the ledger has it, 32 bytes
 * @param ciphertext that came with it, from anybody
 * @returns the note, or null for one that is not ours or that its sender made wrongly. Never throws
 */
export function openNote(
  commitment: Uint8Array,
  ciphertext: Uint8Array,
  { owner, kem }: Pick<WalletKeys, 'owner'> & { readonly kem: Pick<MlKemKeyPair, 'decapsulate'> },
): Note | null {
  if (ciphertext.length !== NOTE_CIPHERTEXT_BYTES) return null
  const secret = kem.decapsulate(ciphertext.subarray(0, SEALED_AT))
  if (!secret.ok) return null
  const plaintext = opened(ciphertext.subarray(SEALED_AT), noteKey(secret.value, commitment))
  if (plaintext === null || plaintext[0] !== PLAINTEXT_VERSION) return null
  const randomness = new Uint8Array(plaintext.subarray(RANDOMNESS_AT))
  if (decodeElements(randomness, NOTE_RANDOMNESS_LANES) === null) return null
  const note: Note = { owner, value: plaintext.readBigUInt64LE(VALUE_AT), randomness }
  // Whoever can encrypt to us can claim any value: the ledger's commitment decides.
  return Buffer.compare(noteCommitment(note), commitment) === 0 ? note : null
}
