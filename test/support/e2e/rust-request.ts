/**
 * The golden requests of the Rust client (vectors/stoq.json) at the present time: the bytes that serde wrote, with
 * nothing but times, nonce and hash exchanged in the text. Our own writer has no part in it.
 */

import { createHash } from 'node:crypto'
import { vector } from '../requests.ts'
import { nowUs } from './fresh.ts'

/** 2^64 − 59, the vector's: beyond what a double holds. Each request takes the next one below. */
let nonce = 18_446_744_073_709_551_557n

function replaced(text: string, pattern: RegExp, by: string): string {
  if (!pattern.test(text)) throw new Error(`the vector has no ${pattern}`)
  return text.replace(pattern, by)
}

/** SHA-256 over offset (5,000 µs), time (µs) and nonce, little endian (spec/stoq.md 4.1). */
function timeProofHash(timeUs: bigint, of: bigint): number[] {
  const preimage = Buffer.alloc(40)
  preimage.writeBigUInt64LE(5_000n, 0)
  preimage.writeBigUInt64LE(timeUs, 16)
  preimage.writeBigUInt64LE(of, 32)
  return [...createHash('sha256').update(preimage).digest()]
}

/** `consensus/validate_certificate`. */
export function rustCertificateRequest(): { json: string; requestId: string } {
  nonce--
  const us = nowUs()
  const secs = us / 1_000_000n
  // The vector's proofs have 123,456,789 ns; the hash is over whole microseconds.
  const hash = timeProofHash(secs * 1_000_000n + 123_456n, nonce)
  const requestId = `trustchain-${us}-test.hypermesh.online`
  let json = vector('certreq_json')
  json = replaced(json, /"secs_since_epoch":1760000000/g, `"secs_since_epoch":${secs}`)
  json = replaced(json, /"nonce":\d+/, `"nonce":${nonce}`)
  json = replaced(json, /"proof_hash":\[[\d,]+\]/, `"proof_hash":${JSON.stringify(hash)}`)
  json = replaced(json, /"request_id":"[^"]+"/, `"request_id":"${requestId}"`)
  return { json, requestId }
}

/** `consensus/validate_proofs`. */
export function rustFourProofRequest(): string {
  const us = nowUs()
  const secs = us / 1_000_000n
  let json = vector('fpreq_json')
  json = replaced(json, /"secs_since_epoch":1760000000/, `"secs_since_epoch":${secs}`)
  json = replaced(json, /"block_timestamp":1760000000/, `"block_timestamp":${secs}`)
  json = replaced(json, /"sequence_number":1,/, `"sequence_number":${us},`)
  return json
}
