/** The golden vectors that the real serde, bincode and SHA-256 made (stoq.json): hashes, proofs and envelopes. */
import { describe, expect, it } from 'vitest'
import { BincodeWriter, readBincode } from '../../src/codec/bincode.ts'
import { sha256Plain } from '../../src/codec/hashes.ts'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import {
  consensusProofBincode,
  fourProofSetBincode,
  proofHash,
  timeProofHash,
  timeProofPreimage,
} from '../../src/codec/proofs.ts'
import { utf8ToBytes } from '../../src/codec/utf8.ts'
import { certificateRequest, fourProofRequest } from '../unit/ledger/fixtures.ts'
import vectors from './stoq.json' with { type: 'json' }

const { consensusProof } = certificateRequest().certificateRequest
const { proofSet } = fourProofRequest()

describe('the proofs of the golden requests', () => {
  it('have the bincode form that Rust gives them', () => {
    expect(toHex(consensusProofBincode(consensusProof))).toBe(vectors.consensus_proof_bincode_hex)
    expect(toHex(fourProofSetBincode(proofSet))).toBe(vectors.four_proof_set_bincode_hex)
  })

  it('have the proof hashes that Rust gives them', () => {
    expect(proofHash(consensusProofBincode(consensusProof))).toBe(vectors.consensus_proof_sha256)
    expect(proofHash(fourProofSetBincode(proofSet))).toBe(vectors.four_proof_set_sha256)
  })

  it('have the time proof preimage and hash that Rust gives them', () => {
    expect(toHex(timeProofPreimage(consensusProof.timeProof))).toBe(vectors.time_proof_preimage_hex)
    expect(toHex(timeProofHash(consensusProof.timeProof))).toBe(vectors.time_proof_sha256)
    expect(toHex(consensusProof.timeProof.proofHash)).toBe(vectors.time_proof_sha256)
  })
})

interface Request {
  id: string
  service: string
  method: string
  payload: Uint8Array
  metadata: [string, string][]
}

const requestBytes = (request: Request): Uint8Array =>
  new BincodeWriter()
    .text(request.id)
    .text(request.service)
    .text(request.method)
    .bytes(request.payload)
    .list(request.metadata, (writer, [key, value]) => writer.text(key).text(value))
    .finish()

describe('the envelopes', () => {
  it('are written as Rust writes them', () => {
    const health = {
      id: 'id-1',
      service: 'hypermesh',
      method: 'consensus/health',
      payload: utf8ToBytes('null'),
      metadata: [],
    }
    expect(toHex(requestBytes(health))).toBe(vectors.reqbin_hex)
    const certificate = requestBytes({
      id: vectors.certreq_envelope_id,
      service: 'hypermesh',
      method: 'consensus/validate_certificate',
      payload: utf8ToBytes(vectors.certreq_json),
      metadata: [],
    })
    expect(certificate.length).toBe(vectors.certreq_envelope_len)
    expect(toHex(sha256Plain(certificate))).toBe(vectors.certreq_envelope_sha256)
  })

  it.each([
    [vectors.respok_hex, { id: 'id-1', success: true, payload: '{}', error: null, metadata: [['k', 'vv']] }],
    [vectors.resperr_hex, { id: '', success: false, payload: '', error: 'boom', metadata: [] }],
  ])('are read and written back: %s', (hex, expected) => {
    const read = readBincode(fromHex(hex), (reader) => ({
      id: reader.text(36),
      success: reader.bool(),
      payload: new TextDecoder().decode(reader.bytes(100)),
      error: reader.option((r) => r.text(100)),
      metadata: reader.list(8, 16, (r) => [r.text(100), r.text(100)] as const),
    }))
    expect(read).toEqual({ ok: true, value: expected })
    if (!read.ok) return
    const { id, success, payload, error, metadata } = read.value
    const written = new BincodeWriter()
      .text(id)
      .bool(success)
      .bytes(utf8ToBytes(payload))
      .option(error, (writer, text) => writer.text(text))
      .list(metadata, (writer, [key, value]) => writer.text(key).text(value))
      .finish()
    expect(toHex(written)).toBe(hex)
  })
})
