/**
 * Whether an operation transaction is legal on a state, and the changes that it brings. Cheap rules first, signatures
 * last, as for staking (staking/check-staking.ts), whose rules about sequence and expiry are the same.
 */
import { accountId } from '../../codec/genesis.ts'
import { encodeOperation } from '../../codec/operations.ts'
import {
  authoritySigningPayload,
  escalationSigningPayload,
  operationSigningPayload,
} from '../../codec/signing-payloads.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import {
  type NetworkOperation,
  OPEN_OPERATIONS_MAX,
  OPEN_OPERATIONS_PER_PROPOSER_MAX,
  OPERATION_BYTES_MAX,
  type OpenOperation,
  type OperationAction,
  type OperationsState,
} from '../../types/operations.ts'
import type { AccountId, Height, RequestKey } from '../../types/primitives.ts'
import type { Account, StakingState } from '../../types/staking.ts'
import type { OperationTransaction } from '../../types/transaction.ts'
import type { VerdictVoting } from '../../types/voting.ts'
import type { ChainRules } from '../chain-rules.ts'
import { checkPlace } from '../staking/check-staking.ts'
import type { StakingRefusal } from '../staking/staking-refusals.ts'
import { checkCertificate } from './authority-certificate.ts'
import type { OperationRefusal } from './operation-refusals.ts'
import { withDecided } from './operations-state.ts'
import { standardOf } from './routing.ts'
import { escalatable, suspended, written } from './standard-space.ts'

/** Blocks that an operation can be made to wait at most before it is voted on. */
export const OPENING_DELAY_BLOCKS_MAX = 100_000

/** What an operation transaction leaves behind. */
export interface OperationChange {
  readonly account: Account
  readonly operations: OperationsState
}

/** The state that it is checked on. */
export interface OperationPlace {
  readonly staking: Pick<StakingState, 'accounts' | 'validators'>
  readonly voting: Pick<VerdictVoting, 'electors' | 'operations'>
  /** Of the block that would hold it. */
  readonly height: Height
  readonly rules: Pick<ChainRules, 'genesisHash' | 'verifySignature' | 'verdicts'>
}

type Outcome<T> = Result<T, StakingRefusal | OperationRefusal>

/** @param id request key of the transaction */
export function checkOperation(
  transaction: OperationTransaction,
  id: RequestKey,
  place: OperationPlace,
): Outcome<OperationChange> {
  const { publicKey, sequence, operation: action, signature } = transaction
  const { staking, voting, height, rules } = place
  if (rules.verdicts === 'executed') {
    return refuse('operations-nobody', 'nobody votes on this chain, so there are no operations')
  }
  const known = checkPlace(transaction, staking.accounts.get(accountId(publicKey)), height)
  if (!known.ok) return known
  const proposer = known.value.id
  if (!(voting.electors.at(-1)?.members ?? []).some(({ account }) => account === proposer)) {
    return refuse('operation-not-validator', `account ${proposer} takes no part in verdicts in this period`)
  }
  const operations = applied(action, { id, proposer }, place)
  if (!operations.ok) return operations
  const payload = operationSigningPayload(rules.genesisHash, transaction)
  if (!rules.verifySignature(publicKey, payload, signature, 'operation')) {
    return refuse('operation-signature', 'the signature is not valid under the key in it')
  }
  const uncertified = checkAuthority(action, place)
  if (uncertified !== null) return uncertified
  return ok({ account: { ...known.value, sequence }, operations: operations.value })
}

interface Origin {
  readonly id: RequestKey
  readonly proposer: AccountId
}

function applied(action: OperationAction, origin: Origin, place: OperationPlace): Outcome<OperationsState> {
  const { voting, height } = place
  const { operations } = voting
  if (action.kind === 'escalate') {
    const of = escalatable(operations.standard, action.id, height)
    if (of === null) {
      return refuse('operation-not-recent', `operation ${action.id} cannot be escalated at height ${height}`)
    }
    const standard = suspended(operations.standard, of)
    const { id, proposer, operation } = of
    return opened({ ...operations, standard }, { id, proposer }, operation, action.opensAt, height)
  }
  const { operation, opensAt } = action
  const bytes = encodeOperation(operation).length
  if (bytes > OPERATION_BYTES_MAX) {
    return refuse('operation-size', `the operation has ${bytes} bytes, the maximum is ${OPERATION_BYTES_MAX}`)
  }
  const task = standardOf(operation)
  if (task === null) return opened(operations, origin, operation, opensAt, height)
  if (opensAt !== 0) return refuse('operation-opens', 'a standard operation is not voted on: opensAt is 0')
  const standard = written(operations.standard, { ...origin, operation: task, height })
  if (!standard.ok) return standard
  const { kind } = operation
  return ok(
    withDecided({ ...operations, standard: standard.value }, [
      { ...origin, kind, route: 'authority', outcome: 'approved', height },
    ]),
  )
}

function opened(
  operations: OperationsState,
  { id, proposer }: Origin,
  operation: NetworkOperation,
  opensAt: Height,
  height: Height,
): Outcome<OperationsState> {
  if (opensAt <= height || opensAt > height + OPENING_DELAY_BLOCKS_MAX) {
    return refuse(
      'operation-opens',
      `opensAt ${opensAt} is not above height ${height} by 1 to ${OPENING_DELAY_BLOCKS_MAX}`,
    )
  }
  const own = operations.open.filter((of) => of.proposer === proposer).length
  if (operations.open.length >= OPEN_OPERATIONS_MAX || own >= OPEN_OPERATIONS_PER_PROPOSER_MAX) {
    return refuse(
      'operation-open-full',
      `${operations.open.length} operations wait, ${own} of the account; the most are ${OPEN_OPERATIONS_MAX} and ${OPEN_OPERATIONS_PER_PROPOSER_MAX}`,
    )
  }
  const open: OpenOperation = { id, proposer, operation, proposedAt: height, opensAt, stage: 'waiting' }
  return ok({ ...operations, open: [...operations.open, open] })
}

/** What is decided by authority shows its certificate. One on a critical operation is for nothing: it is voted on. */
function checkAuthority(
  action: OperationAction,
  { staking, voting, rules }: OperationPlace,
): Refusal<OperationRefusal> | null {
  const { genesisHash, verifySignature } = rules
  if (action.kind === 'propose' && standardOf(action.operation) === null) return null
  const signed =
    action.kind === 'propose'
      ? { payload: authoritySigningPayload(genesisHash, action.operation), context: 'authority' as const }
      : { payload: escalationSigningPayload(genesisHash, action.id), context: 'escalation' as const }
  return checkCertificate(action.authority, signed, voting, staking, verifySignature)
}
