/** Notes as they are told their owners: opened by nobody else, never a throw, and all alike from outside. */
import { createCipheriv, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nativeMlKem768 } from '../../../src/crypto/ml-kem-native.ts'
import { nobleMlKem768 } from '../../../src/crypto/ml-kem-noble.ts'
import { selectMlKem768 } from '../../../src/crypto/select.ts'
import { deriveNoteRandomness, type Note, noteCommitment } from '../../../src/shielded/notes/keys.ts'
import { NOTE_CIPHERTEXT_BYTES } from '../../../src/types/shielded.ts'
import { walletKeys } from '../../../src/wallet/keys.ts'
import { openNote, sealNote, sealUnreadable } from '../../../src/wallet/notes/note-cipher.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'

const mlKem = selectMlKem768()
const keys = walletKeys(seededBytes(1, 32))
const others = walletKeys(seededBytes(2, 32))
const note: Note = {
  owner: keys.owner,
  value: 2n ** 64n - 1n,
  randomness: deriveNoteRandomness(seededBytes(3, 32)),
}
const commitment = noteCommitment(note)
const sealed = sealNote(note, keys.kem.publicKey, mlKem)

describe('keys', () => {
  it('are the same from either implementation of ML-KEM, and others for another seed', () => {
    const noble = walletKeys(seededBytes(1, 32), nobleMlKem768)
    const native = walletKeys(seededBytes(1, 32), nativeMlKem768() ?? nobleMlKem768)
    expect(Buffer.from(noble.kem.publicKey).equals(native.kem.publicKey)).toBe(true)
    expect(Buffer.from(others.kem.publicKey).equals(keys.kem.publicKey)).toBe(false)
    expect(others.owner).not.toEqual(keys.owner)
  })
})

describe('a note', () => {
  it('is opened by whom it is for', () => {
    expect(sealed).toHaveLength(NOTE_CIPHERTEXT_BYTES)
    expect(openNote(commitment, sealed, keys)).toEqual(note)
    expect(openNote(commitment, sealed, others)).toBeNull()
  })

  it('is opened only with its own commitment', () => {
    const other = noteCommitment({ ...note, value: 1n })
    expect(openNote(other, sealed, keys)).toBeNull()
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(NOTE_CIPHERTEXT_BYTES)],
    ['a byte less', sealed.slice(0, -1)],
    ['a byte more', Uint8Array.of(...sealed, 0)],
  ])('is not read from %s', (_what, bytes) => {
    expect(openNote(commitment, bytes, keys)).toBeNull()
  })

  it('is not read with any byte changed', () => {
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed)
      changed[at] = (changed[at] as number) ^ 1
      expect(openNote(commitment, changed, keys), `byte ${at}`).toBeNull()
    }
  })

  it('that nobody is to read has the same size and is read by nobody', () => {
    const filler: Note = { ...note, value: 0n }
    const bytes = sealUnreadable(filler, mlKem)
    expect(bytes).toHaveLength(NOTE_CIPHERTEXT_BYTES)
    expect(openNote(noteCommitment(filler), bytes, keys)).toBeNull()
  })

  it('is sealed anew each time', () => {
    expect(Buffer.from(sealNote(note, keys.kem.publicKey, mlKem)).equals(sealed)).toBe(false)
  })
})

/** What a sender with other software could send: README.md, typed again. */
function sealedBySomebody(plaintext: Uint8Array, bound: Uint8Array): Uint8Array {
  const encapsulated = mlKem.encapsulate(keys.kem.publicKey)
  if (!encapsulated.ok) throw new Error(encapsulated.detail)
  const { ciphertext, sharedSecret } = encapsulated.value
  const info = Buffer.concat([Buffer.from('hypermesh/wallet/note-key/v1'), bound])
  const key = Buffer.from(hkdfSync('sha256', sharedSecret, '', info, 32))
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12))
  return Buffer.concat([ciphertext, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

describe('a sender', () => {
  const plaintext = Buffer.concat([Buffer.of(1), Buffer.alloc(8, 0xff), note.randomness])

  it('with other software is understood', () => {
    expect(openNote(commitment, sealedBySomebody(plaintext, commitment), keys)).toEqual(note)
  })

  it.each([
    ['another version', Buffer.concat([Buffer.of(2), plaintext.subarray(1)])],
    ['another value', Buffer.concat([Buffer.of(1), Buffer.alloc(8, 0xfe), note.randomness])],
    ['other randomness', Buffer.concat([plaintext.subarray(0, 9), deriveNoteRandomness(seededBytes(9, 32))])],
    ['randomness that is none', Buffer.concat([plaintext.subarray(0, 9), Buffer.alloc(28, 0xff)])],
  ])('who tells %s is not believed', (_what, told) => {
    expect(openNote(commitment, sealedBySomebody(told, commitment), keys)).toBeNull()
  })
})
