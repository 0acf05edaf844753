/** The container of an attestation and its text: one spelling, bounded, refused when anything is off. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ATTESTATION_BYTES_MAX,
  decodeAttestation,
  decodeOperationSignature,
  decodeTemporalProof,
  encodeAttestation,
  encodeAttestationFields,
} from '../../../src/codec/attestation.ts'
import { base64UrlToBytes, bytesToBase64Url } from '../../../src/codec/base64-url.ts'
import { METADATA_VALUE_BYTES_MAX, PROOF_BYTES_MAX, TEXT_BYTES_MAX } from '../../../src/codec/limits.ts'
import type { Attestation } from '../../../src/types/attestation.ts'
import { asHeight, type BlockHash } from '../../../src/types/primitives.ts'

const opening = (leaf: number, path: number) => ({
  leaf: new Uint8Array(leaf).fill(7),
  path: Array.from({ length: path }, (_, i) => new Uint8Array(32).fill(i)),
})
const ATTESTATION: Attestation = {
  operatorId: 'acme',
  anchor: { height: asHeight(258), hash: 'ab'.repeat(32) as BlockHash },
  sequence: 2n ** 63n,
  signature: new Uint8Array([1, 2, 3]),
  workNonce: 513n,
  openings: [opening(2, 1)],
}

describe('base64url', () => {
  it('is what Node writes, both ways, and has one spelling', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = bytesToBase64Url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(base64UrlToBytes(text)).toEqual(bytes)
      }),
    )
    fc.assert(
      fc.property(fc.base64String(), (text) => {
        const bytes = base64UrlToBytes(text)
        if (bytes !== null) expect(bytesToBase64Url(bytes)).toBe(text)
      }),
    )
  })

  it.each(['A', 'AA==', 'A+', 'A/', 'AB', 'AAB', 'A A', 'é'])('refuses %s', (text) => {
    expect(base64UrlToBytes(text)).toBeNull()
  })
})

describe('an attestation', () => {
  it('has these bytes', () => {
    const bytes = Buffer.from(encodeAttestation(ATTESTATION), 'base64url').toString('hex')
    expect(bytes).toBe(
      // Version, then offsets in the place of what has no fixed length, then that.
      `01${'45000000'}${'0201000000000000'}${'ab'.repeat(32)}${'0000000000000080'}${'49000000'}${'0102000000000000'}${'4c000000'}` +
        `${'61636d65'}${'010203'}${'04000000'}${'08000000'}${'0a000000'}${'0707'}${'00'.repeat(32)}`,
    )
    expect(decodeAttestation(encodeAttestation(ATTESTATION))).toEqual({ ok: true, value: ATTESTATION })
  })

  it('is read or refused, whatever is flipped or cut', () => {
    const text = encodeAttestation(ATTESTATION)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'AQg_-z='), (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        const read = decodeAttestation(changed)
        if (read.ok) expect(encodeAttestation(read.value)).toBe(changed)
      }),
    )
    for (let length = 0; length < text.length; length++) {
      const read = decodeAttestation(text.slice(0, length))
      if (read.ok) expect(encodeAttestation(read.value)).toBe(text.slice(0, length))
    }
  })

  it('fits where the wire has room, at its largest', () => {
    const largest: Attestation = {
      ...ATTESTATION,
      operatorId: 'x'.repeat(128),
      signature: new Uint8Array(3_309),
      // 2^48 bytes in leaves of 2,048.
      openings: Array.from({ length: 16 }, () => opening(2_048, 37)),
    }
    const text = encodeAttestation(largest)
    expect(decodeAttestation(text)).toMatchObject({ ok: true })
    expect(text.length).toBeLessThan(METADATA_VALUE_BYTES_MAX)
    expect((ATTESTATION_BYTES_MAX * 4) / 3).toBeLessThan(METADATA_VALUE_BYTES_MAX)
    const fields = encodeAttestationFields(largest)
    expect(fields.allocationProof.length).toBeLessThan(65_536)
    expect(fields.allocationProof.length).toBeLessThan(PROOF_BYTES_MAX)
    expect(fields.operationSignature.length).toBeLessThan(TEXT_BYTES_MAX)
  })

  it('has these bytes in the fields of a four-proof set', () => {
    const fields = encodeAttestationFields(ATTESTATION)
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    expect(hex(fields.temporalProof)).toBe(`01${'0201000000000000'}${'ab'.repeat(32)}`)
    expect(hex(fields.computationalProof)).toBe('010102000000000000')
    expect(Buffer.from(fields.operationSignature, 'base64url').toString('hex')).toBe('0105000000010203')
    expect(decodeTemporalProof(fields.temporalProof)).toEqual({ ok: true, value: ATTESTATION.anchor })
    expect(decodeOperationSignature(fields.operationSignature)).toEqual({
      ok: true,
      value: ATTESTATION.signature,
    })
    expect(decodeTemporalProof(fields.temporalProof.slice(1))).toMatchObject({ ok: false })
  })
})
