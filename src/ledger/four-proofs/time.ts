/** WHEN: the time proof of a certificate request, and that its nonce was not used before. */
import { toHex } from '../../codec/hex.ts'
import { timeProofHash } from '../../codec/proofs.ts'
import type { Nullifier } from '../../types/primitives.ts'
import type { TimeProof } from '../../types/validation-request.ts'
import type { StateReader } from '../state-reader.ts'
import { nanosecondsOf, requireWithin } from './moments.ts'
import { quoted, seconds } from './reason-text.ts'
import type { EffectiveRequirements } from './requirements.ts'
import type { RuleFailures } from './rule-failures.ts'

const PROOF_HASH_BYTES = 32

/**
 * Rules of the row "time" in spec/four-proofs.md.
 * @param spends what the nonce spends if the request is Valid. Spent already, the proof is Invalid; the block
 *   that orders it is legal all the same (nullifier-set.ts)
 * @param nodeId whose nonce it is
 */
export function checkTime(
  proof: TimeProof,
  spends: Nullifier,
  nodeId: string,
  requirements: EffectiveRequirements,
  blockNs: bigint,
  state: Pick<StateReader, 'hasNullifier'>,
  failures: RuleFailures,
): void {
  checkProofHash(proof, failures)
  const offset = nanosecondsOf(proof.networkTimeOffset)
  const { value: offsetMax, source } = requirements.maxTimeOffsetNs
  if (offset > offsetMax) {
    failures.add(
      `network_time_offset ${seconds(offset)} is above the maximum ${seconds(offsetMax)} (${source})`,
    )
  }
  requireWithin(
    failures,
    'time_verification_timestamp',
    nanosecondsOf(proof.timeVerificationTimestamp),
    blockNs,
    requirements.timeWindowNs,
  )
  if (proof.nonce === 0n) failures.add('nonce is 0, it must not be')
  if (state.hasNullifier(spends)) {
    failures.add(`nonce ${proof.nonce} of node ${quoted(nodeId)} is replayed: a valid request has spent it`)
  }
}

function checkProofHash(proof: TimeProof, failures: RuleFailures): void {
  const seen = proof.proofHash
  if (seen.length !== PROOF_HASH_BYTES) {
    failures.add(`proof_hash is ${seen.length} bytes, it must be ${PROOF_HASH_BYTES}`)
    return
  }
  const expected = timeProofHash(proof)
  if (seen.every((byte, i) => byte === expected[i])) return
  failures.add(
    `proof_hash ${toHex(seen)} does not match the offset, timestamp and nonce, which give ${toHex(expected)}`,
  )
}
