/**
 * Who asks is not one whom the ledger has found out: neither tombstoned nor excluded (spec/four-proofs.md, outer). A name
 * proves nothing below level "attested", so it counts against the request that bears it and against nobody else.
 */
import { isHex } from '../../codec/hex.ts'
import { unreachable } from '../../types/assert.ts'
import type { AccountId, ValidatorId } from '../../types/primitives.ts'
import type { Account, StakingState } from '../../types/staking.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { VerdictVoting } from '../../types/voting.ts'
import { operatorByName } from '../operators/operator-names.ts'
import { ownerOfKey } from '../staking/validator-keys.ts'
import { quoted } from './reason-text.ts'

/** What of the state says who is barred. */
export interface Standings {
  readonly staking: Pick<StakingState, 'accounts' | 'operators'>
  readonly voting: Pick<VerdictVoting, 'trust'>
}

/**
 * Why the requester of a request is barred.
 * @returns one sentence with the name and what the ledger says of it; null when it is not, or stands for nobody
 */
export function barredRequester(
  transaction: ValidationTransaction,
  { staking, voting }: Standings,
): string | null {
  const { field, name } = requesterOf(transaction)
  const account = accountOf(name, staking)
  if (account === null) return null
  const who = `${field} ${quoted(name)} stands for account ${account.id}, which`
  if (account.tombstonedAt !== null) {
    return `${who} was punished for equivocation at height ${account.tombstonedAt}`
  }
  const trust = voting.trust.get(account.id)
  if (trust?.status !== 'excluded') return null
  return `${who} is excluded until period ${trust.untilPeriod} at least`
}

function requesterOf(transaction: ValidationTransaction): { readonly field: string; readonly name: string } {
  switch (transaction.kind) {
    case 'validate-certificate': {
      const { nodeId } = transaction.request.certificateRequest
      return { field: 'certificate_request.node_id', name: nodeId }
    }
    case 'validate-proofs':
      return { field: 'node_id', name: transaction.request.nodeId }
    default:
      return unreachable(transaction)
  }
}

/** A name is an operator's id or alias, an account's id, or a validator's, also one that it had before. */
function accountOf(name: string, { accounts, operators }: Standings['staking']): Account | null {
  const operator = operatorByName(name, operators)
  if (operator !== null) return accounts.get(operator.account) ?? null
  if (!isHex(name, 32)) return null
  return accounts.get(name as AccountId) ?? ownerOfKey(name as ValidatorId, accounts)?.account ?? null
}
