/**
 * What a request spends when its verdict is Valid, and what is kept from others while it waits for one. It follows from
 * the request, the network's policy and the operators before the block, never from whether the request is Valid: the
 * verdict is not known when the request is ordered.
 */
import type { Operator, Operators } from '../../types/operator.ts'
import type { Nullifier } from '../../types/primitives.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { VerdictRecord } from '../../types/verdict.ts'
import { carriedAttestation } from '../attestation/carried-attestation.ts'
import { operatorSequenceHash, workNullifier } from '../attestation/statement.ts'
import type { ChainRules } from '../chain-rules.ts'
import { operatorByName } from '../operators/operator-names.ts'
import type { RequestIdentity } from '../request-identity.ts'
import { currentPolicy, requiredLevel } from '../validation-policy.ts'

export interface RequestSpending {
  /** That of its time proof; of an attested request that of its work also. All different. */
  readonly nullifiers: readonly Nullifier[]
  /** Whose sequence advances, and to what: of a four-proof set its node's, of an attested certificate request its operator's. */
  readonly sequence: VerdictRecord['sequence']
}

/**
 * @param identity of the same transaction
 * @param operators before the block that orders it
 */
export function requestSpending(
  transaction: ValidationTransaction,
  { nullifier, sequence }: RequestIdentity,
  operators: Operators,
  rules: Pick<ChainRules, 'genesisHash' | 'policy'>,
): RequestSpending {
  const declared = { nullifiers: [nullifier], sequence }
  if (requiredLevel(transaction, currentPolicy(rules)) !== 'attested') return declared
  const operator = requesterOf(transaction, operators)
  if (operator === null) return declared
  const carried = carriedAttestation(transaction)
  // Without one of these the request cannot be Valid: it keeps no more from others than it would at a lower level.
  if (!carried.anchor.read.ok || !carried.workNonce.read.ok || !carried.sequence.read.ok) return declared
  const { operatorId } = operator
  return {
    nullifiers: [nullifier, workNullifier(rules.genesisHash, operatorId, carried.workNonce.read.value)],
    sequence: sequence ?? {
      nodeIdHash: operatorSequenceHash(operatorId),
      number: carried.sequence.read.value,
    },
  }
}

/** The operator of a request's node id; null when it is nobody's, or that of one who has retired. */
function requesterOf(transaction: ValidationTransaction, operators: Operators): Operator | null {
  const { nodeId } =
    transaction.kind === 'validate-certificate' ? transaction.request.certificateRequest : transaction.request
  const operator = operatorByName(nodeId, operators)
  return operator?.retirement === null ? operator : null
}
