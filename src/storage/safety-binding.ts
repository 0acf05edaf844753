/** Whose signatures a safety log records: it is of one key on one network, and opened for no other. */
import type { GenesisHash, ValidatorId } from '../types/primitives.ts'

/** Whose signatures the log remembers. Another key or another network must never be signed for with it. */
export interface SafetyLogBinding {
  readonly validatorId: ValidatorId
  readonly genesisHash: GenesisHash
}
