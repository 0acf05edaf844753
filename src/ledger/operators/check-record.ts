/** Whether what an operator says of itself is in order, and of nobody else. Moves no stake, checks no signature. */
import { toHex } from '../../codec/hex.ts'
import { type Refusal, refuse } from '../../types/errors.ts'
import {
  LEAF_SIZES,
  OPERATOR_KEY_BYTES,
  OPERATOR_NAME_LENGTH_MAX,
  type OperatorRecord,
  type Operators,
  SPACE_BYTES_MAX,
  type SpaceCommitment,
} from '../../types/operator.ts'
import type { AccountId } from '../../types/primitives.ts'
import type { ChainRules } from '../chain-rules.ts'
import { quoted } from '../four-proofs/reason-text.ts'
import { assuranceOf, authorityFor, currentPolicy } from '../validation-policy.ts'
import { namesOf, operatorByName } from './operator-names.ts'
import type { OperatorRefusal } from './operator-refusals.ts'
import { isTestName } from './reserved-names.ts'

/** No slash: `hypermesh://<name>/…` is a network position. No character that looks like another one. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:@-]*$/

type Outcome = Refusal<OperatorRefusal> | null

/** @param owner account that registers it; what it had before is not in its way */
export function checkRecord(
  record: OperatorRecord,
  owner: AccountId,
  operators: Operators,
  rules: Pick<ChainRules, 'policy'>,
): Outcome {
  return (
    checkNames(record) ??
    checkKey(record) ??
    checkAuthority(record, rules) ??
    (record.space === null ? null : checkSpace(record.space)) ??
    checkOthers(record, owner, operators)
  )
}

function checkNames(record: OperatorRecord): Outcome {
  for (const name of namesOf(record)) {
    if (!NAME.test(name) || name.length > OPERATOR_NAME_LENGTH_MAX) {
      return refuse(
        'operator-name',
        `${quoted(name)} is no name: 1 to ${OPERATOR_NAME_LENGTH_MAX} of A-Z a-z 0-9 . _ : @ -, the first a letter or digit`,
      )
    }
    if (isTestName(name)) {
      return refuse('operator-name', `${quoted(name)} is a name of TrustChain's test data`)
    }
  }
  const { aliases, operatorId } = record
  const isAscending = aliases.every((alias, i) => i === 0 || alias > (aliases[i - 1] ?? ''))
  return isAscending && !aliases.includes(operatorId)
    ? null
    : refuse('operator-aliases', 'aliases are in ascending order, all different, none the id itself')
}

function checkKey({ keyScheme, publicKey }: OperatorRecord): Outcome {
  const bytes = OPERATOR_KEY_BYTES[keyScheme]
  return publicKey.length === bytes
    ? null
    : refuse('operator-key', `a ${keyScheme} key has ${bytes} bytes, not ${publicKey.length}`)
}

function checkAuthority(
  { authorityLevel, bondedStake }: OperatorRecord,
  rules: Pick<ChainRules, 'policy'>,
): Outcome {
  const highest = authorityFor(bondedStake, assuranceOf(currentPolicy(rules)))
  return authorityLevel <= highest
    ? null
    : refuse(
        'operator-authority',
        `authority level ${authorityLevel} is above ${highest}, the most for a bonded stake of ${bondedStake}`,
      )
}

function checkSpace({ bytes, leafSize }: SpaceCommitment): Outcome {
  if (!(LEAF_SIZES as readonly number[]).includes(leafSize)) {
    return refuse('operator-space', `a leaf of ${leafSize} bytes, allowed are ${LEAF_SIZES.join(', ')}`)
  }
  const isWhole = bytes > 0n && bytes <= SPACE_BYTES_MAX && bytes % BigInt(leafSize) === 0n
  return isWhole
    ? null
    : refuse(
        'operator-space',
        `${bytes} bytes are not 1 to ${SPACE_BYTES_MAX} in whole leaves of ${leafSize}`,
      )
}

function checkOthers(record: OperatorRecord, owner: AccountId, operators: Operators): Outcome {
  for (const name of namesOf(record)) {
    const holder = operatorByName(name, operators)
    if (holder !== null && holder.account !== owner) {
      return refuse('operator-name-taken', `${quoted(name)} belongs to operator ${holder.operatorId}`)
    }
  }
  const key = toHex(record.publicKey)
  for (const other of operators.values()) {
    if (other.account === owner) continue
    if (toHex(other.publicKey) === key) {
      return refuse('operator-key-taken', `the key belongs to operator ${other.operatorId}`)
    }
    // One space kept is one space, however many operators point at it.
    if (record.space !== null && other.space?.root === record.space.root) {
      return refuse('operator-space-taken', `the space is registered by operator ${other.operatorId}`)
    }
  }
  return null
}
