/** WHERE: the storage behind a certificate request. Declared only: nothing here has seen a byte of it. */
import type { SpaceProof } from '../../types/validation-request.ts'
import { NANOS_PER_SECOND, requireFresh } from './moments.ts'
import { characterCount, quoted } from './reason-text.ts'
import { type EffectiveRequirements, requireMaximum, requireMinimum } from './requirements.ts'
import type { RuleFailures } from './rule-failures.ts'

const ID_BYTES_MAX = 512
const PATH_CHARACTERS_MAX = 1_000
const FILE_HASH_CHARACTERS_MIN = 32
const FILE_HASH_CHARACTERS_MAX = 128
const AGE_MAX_NS = 3_600n * NANOS_PER_SECOND

/** Rules of the row "space" in spec/four-proofs.md. */
export function checkSpace(
  proof: SpaceProof,
  requirements: EffectiveRequirements,
  blockNs: bigint,
  failures: RuleFailures,
): void {
  requireMinimum(failures, 'total_storage', proof.totalStorage, requirements.minimumStorage)
  requireMaximum(failures, 'total_storage', proof.totalStorage, requirements.maximumStorage)
  if (proof.totalSize > proof.totalStorage) {
    failures.add(`total_size ${proof.totalSize} is above total_storage ${proof.totalStorage}`)
  }
  failures.requireText('node_id', proof.nodeId, ID_BYTES_MAX)
  const pathLength = characterCount(proof.storagePath)
  if (pathLength === 0) failures.add('storage_path is empty')
  if (pathLength > PATH_CHARACTERS_MAX) {
    failures.add(`storage_path is ${pathLength} characters, the maximum is ${PATH_CHARACTERS_MAX}`)
  }
  const hashLength = characterCount(proof.fileHash)
  if (hashLength !== 0 && (hashLength < FILE_HASH_CHARACTERS_MIN || hashLength > FILE_HASH_CHARACTERS_MAX)) {
    failures.add(
      `file_hash ${quoted(proof.fileHash)} is ${hashLength} characters, it must be empty or ${FILE_HASH_CHARACTERS_MIN} to ${FILE_HASH_CHARACTERS_MAX}`,
    )
  }
  requireFresh(failures, 'proof_timestamp', proof.proofTimestamp, blockNs, AGE_MAX_NS)
}
