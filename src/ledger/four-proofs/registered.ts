/**
 * Level "registered": every id in a request is one operator's, and the request claims no more than that operator's row
 * on the ledger. It proves nothing about who sent the request; that is level "attested".
 */
import type { Operator, Operators } from '../../types/operator.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { RuleFailure } from '../../types/verdict.ts'
import { operatorByName } from '../operators/operator-names.ts'
import { isTestName } from '../operators/reserved-names.ts'
import { quoted } from './reason-text.ts'
import { RuleFailures } from './rule-failures.ts'

/** An id in a request: where it stands, and what is blamed for it. */
interface NamedId {
  readonly subject: RuleFailure['subject']
  readonly field: string
  readonly name: string
}

interface Claims {
  /** Whose request it is: the others must be the same operator's. */
  readonly requester: NamedId
  readonly others: readonly NamedId[]
  /** Ids that stand for nobody on the ledger, but give test data away. */
  readonly labels: readonly NamedId[]
  readonly stake: { readonly field: string; readonly amount: bigint }
  readonly storage: { readonly field: string; readonly bytes: bigint }
  readonly authorityLevel: bigint | null
}

/**
 * All rules of the level.
 * @param operators before the block
 * @returns the operator of the request's node id; null when it is nobody's
 */
export function checkRegistered(
  transaction: ValidationTransaction,
  operators: Operators,
  failures: RuleFailure[],
): Operator | null {
  const claims = claimsOf(transaction)
  for (const label of claims.labels) {
    if (isTestName(label.name)) addTo(failures, label, testDataReason(label))
  }
  const requester = resolve(claims.requester, operators, failures)
  for (const id of claims.others) {
    const operator = resolve(id, operators, failures)
    if (operator === null || requester === null || operator.account === requester.account) continue
    addTo(
      failures,
      id,
      `${id.field} ${quoted(id.name)} belongs to operator ${quoted(operator.operatorId)}, ${claims.requester.field} to ${quoted(requester.operatorId)}`,
    )
  }
  if (requester !== null) checkClaims(claims, requester, failures)
  return requester
}

function claimsOf(transaction: ValidationTransaction): Claims {
  if (transaction.kind === 'validate-certificate') {
    const { nodeId, consensusProof } = transaction.request.certificateRequest
    const { stakeProof, spaceProof, workProof } = consensusProof
    return {
      requester: { subject: 'request', field: 'certificate_request.node_id', name: nodeId },
      others: [
        { subject: 'space', field: 'node_id', name: spaceProof.nodeId },
        { subject: 'stake', field: 'stake_holder_id', name: stakeProof.stakeHolderId },
        { subject: 'work', field: 'owner_id', name: workProof.ownerId },
      ],
      labels: [{ subject: 'stake', field: 'stake_holder', name: stakeProof.stakeHolder }],
      stake: { field: 'stake_amount', amount: stakeProof.stakeAmount },
      storage: { field: 'total_storage', bytes: spaceProof.totalStorage },
      authorityLevel: null,
    }
  }
  const { nodeId, proofSet } = transaction.request
  const { spaceProof, stakeProof } = proofSet
  return {
    requester: { subject: 'request', field: 'node_id', name: nodeId },
    others: [{ subject: 'space', field: 'network_position', name: positionName(spaceProof.networkPosition) }],
    labels: [],
    stake: { field: 'stake_amount', amount: stakeProof.stakeAmount },
    storage: { field: 'storage_commitment', bytes: spaceProof.storageCommitment },
    authorityLevel: stakeProof.authorityLevel,
  }
}

/** The name in `hypermesh://<name>/…`, or in a bare `<name>`. */
function positionName(position: string): string {
  const scheme = 'hypermesh://'
  if (!position.startsWith(scheme)) return position
  const rest = position.slice(scheme.length)
  const end = rest.indexOf('/')
  return end === -1 ? rest : rest.slice(0, end)
}

function resolve(id: NamedId, operators: Operators, failures: RuleFailure[]): Operator | null {
  const { field, name } = id
  if (isTestName(name)) {
    addTo(failures, id, testDataReason(id))
    return null
  }
  const operator = operatorByName(name, operators)
  if (operator === null) {
    addTo(failures, id, `${field} ${quoted(name)} is no registered operator or alias of one`)
    return null
  }
  if (operator.retirement === null) return operator
  addTo(
    failures,
    id,
    `${field} ${quoted(name)}: its operator retired at height ${operator.retirement.height}`,
  )
  return null
}

function checkClaims(claims: Claims, operator: Operator, failures: RuleFailure[]): void {
  const whose = `of operator ${quoted(operator.operatorId)}`
  const { stake, storage, authorityLevel } = claims
  const stakeFailures = new RuleFailures('stake', failures)
  if (stake.amount > operator.bondedStake) {
    stakeFailures.add(
      `${stake.field} ${stake.amount} is above the bonded stake ${operator.bondedStake} ${whose}`,
    )
  }
  const space = operator.space?.bytes ?? 0n
  if (storage.bytes > space) {
    new RuleFailures('space', failures).add(
      `${storage.field} ${storage.bytes} is above the registered space ${space} ${whose}`,
    )
  }
  if (authorityLevel !== null && authorityLevel > operator.authorityLevel) {
    stakeFailures.add(
      `authority_level ${authorityLevel} is above the recorded level ${operator.authorityLevel} ${whose}`,
    )
  }
}

function testDataReason({ field, name }: NamedId): string {
  return `${field} ${quoted(name)} is of TrustChain's test data, which this network does not accept`
}

function addTo(failures: RuleFailure[], { subject }: NamedId, reason: string): void {
  new RuleFailures(subject, failures).add(reason)
}
