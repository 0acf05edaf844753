/**
 * Level "attested": a fresh attestation for each of the four proofs, by the operator of the request. What each is
 * bound to is in attestation/statement.ts. Work is verified with one hash and never solved here.
 */

import { recentBlockHash } from '../../codec/recent-blocks.ts'
import type { Anchor, LeafOpening } from '../../types/attestation.ts'
import type { Operator } from '../../types/operator.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { RuleFailure } from '../../types/verdict.ts'
import { type CarriedPart, carriedAttestation } from '../attestation/carried-attestation.ts'
import { leafCount, openingRoot, treeDepth } from '../attestation/space-tree.ts'
import {
  drawnLeaves,
  leadingZeroBits,
  operatorSequenceHash,
  requestBinding,
  type Statement,
  stakeStatement,
  workHash,
  workNullifier,
} from '../attestation/statement.ts'
import type { ChainRules } from '../chain-rules.ts'
import type { StateReader } from '../state-reader.ts'
import { assuranceOf, currentPolicy } from '../validation-policy.ts'
import { quoted } from './reason-text.ts'
import { RuleFailures } from './rule-failures.ts'

/** What the rules of the level look up. Recent blocks up to the parent of the block that orders the request. */
export type AttestedState = Pick<StateReader, 'hasNullifier' | 'lastSequence' | 'accumulators'>

export type AttestedRules = Pick<ChainRules, 'genesisHash' | 'policy' | 'verifySignature'>

/** All rules of the level, in the order time, work, space, stake: the dearest check is the last. */
export function checkAttested(
  transaction: ValidationTransaction,
  operator: Operator | null,
  state: AttestedState,
  rules: AttestedRules,
  failures: RuleFailure[],
): void {
  const carried = carriedAttestation(transaction)
  const of = (subject: RuleFailure['subject']): RuleFailures => new RuleFailures(subject, failures)
  const before = failures.length
  const anchor = readPart(carried.anchor, of('time'))
  const workNonce = readPart(carried.workNonce, of('work'))
  const openings = readPart(carried.openings, of('space'))
  const signature = readPart(carried.signature, of('stake'))
  if (operator === null || anchor === null || !carried.sequence.read.ok) {
    const why =
      operator === null ? "the request's node_id is no operator's" : `${carried.anchor.field} gives no anchor`
    if (anchor !== null) of('time').add(`${carried.anchor.field} cannot be checked: ${why}`)
    if (workNonce !== null) of('work').add(`${carried.workNonce.field} cannot be checked: ${why}`)
    if (openings !== null) of('space').add(`${carried.openings.field} cannot be checked: ${why}`)
    if (signature !== null) of('stake').add(`${carried.signature.field} cannot be checked: ${why}`)
    return
  }
  const { operatorId } = operator
  const statement: Statement = {
    genesisHash: rules.genesisHash,
    anchor,
    operatorId,
    sequence: carried.sequence.read.value,
    ...requestBinding(transaction),
  }
  if (carried.operatorId !== null && carried.operatorId !== operatorId) {
    of('stake').add(
      `${carried.signature.field} is by operator ${quoted(carried.operatorId)}, the request is by ${quoted(operatorId)}`,
    )
  }
  checkAnchor(carried.anchor.field, anchor, state, rules, of('time'))
  // A four-proof set has the sequence of its node, which is looked at on every level.
  if (transaction.kind === 'validate-certificate') checkSequence(statement, state, of('time'))
  if (workNonce !== null) {
    const target = transaction.kind === 'validate-proofs' ? difficultyOf(transaction) : 0
    checkWork(carried.workNonce.field, workNonce, statement, target, state, rules, of('work'))
  }
  if (openings !== null) checkOpenings(carried.openings.field, openings, statement, operator, of('space'))
  if (signature !== null) {
    // To make the other three costs more than to check a signature: nobody can make the validators do that for nothing.
    if (failures.length > before) {
      of('stake').add(
        `${carried.signature.field}: the signature is not checked, for another attestation failed`,
      )
    } else {
      checkSignature(carried.signature.field, signature, statement, operator, rules, of('stake'))
    }
  }
}

function readPart<T>({ field, read }: CarriedPart<T>, failures: RuleFailures): T | null {
  if (read.ok) return read.value
  failures.add(`${field} ${read.detail}`)
  return null
}

function checkAnchor(
  field: string,
  anchor: Anchor,
  state: AttestedState,
  rules: AttestedRules,
  failures: RuleFailures,
): void {
  const { recentBlocks } = state.accumulators
  // The parent is the last recent block, so the block that orders the request is the next.
  const age = recentBlocks.next - anchor.height
  const ageMax = assuranceOf(currentPolicy(rules)).anchorAgeBlocksMax
  if (age < 1) {
    failures.add(`${field}: anchor height ${anchor.height} is not below the block's ${recentBlocks.next}`)
    return
  }
  const hash = age > ageMax ? null : recentBlockHash(recentBlocks, anchor.height)
  if (hash === null) {
    failures.add(`${field}: anchor height ${anchor.height} is ${age} blocks old, the maximum is ${ageMax}`)
  } else if (hash !== anchor.hash) {
    failures.add(`${field}: anchor ${anchor.hash} is not block ${anchor.height}, which is ${hash}`)
  }
}

function checkSequence(
  { operatorId, sequence }: Statement,
  state: AttestedState,
  failures: RuleFailures,
): void {
  const last = state.lastSequence(operatorSequenceHash(operatorId))
  if (sequence > last) return
  failures.add(
    `attested sequence ${sequence} of operator ${quoted(operatorId)} is replayed: the last one recorded is ${last}`,
  )
}

function difficultyOf(transaction: Extract<ValidationTransaction, { kind: 'validate-proofs' }>): number {
  return transaction.request.proofSet.workProof.difficultyTarget
}

function checkWork(
  field: string,
  nonce: bigint,
  statement: Statement,
  target: number,
  state: AttestedState,
  rules: AttestedRules,
  failures: RuleFailures,
): void {
  const { minimumWorkBits } = assuranceOf(currentPolicy(rules))
  const required = Math.max(minimumWorkBits, target)
  const source = target > minimumWorkBits ? 'difficulty_target' : 'network policy'
  const bits = leadingZeroBits(workHash(statement, nonce))
  if (bits < required) {
    failures.add(
      `${field}: work nonce ${nonce} gives ${bits} zero bits, required are ${required} (${source})`,
    )
  }
  if (state.hasNullifier(workNullifier(rules.genesisHash, statement.operatorId, nonce))) {
    failures.add(
      `${field}: work nonce ${nonce} of operator ${quoted(statement.operatorId)} is replayed: a valid request has spent it`,
    )
  }
}

function checkOpenings(
  field: string,
  openings: readonly LeafOpening[],
  statement: Statement,
  { space, operatorId }: Operator,
  failures: RuleFailures,
): void {
  if (space === null) {
    failures.add(`${field}: operator ${quoted(operatorId)} has no registered space to open`)
    return
  }
  const leaves = leafCount(space)
  const drawn = drawnLeaves(statement, leaves)
  if (openings.length !== drawn.length) {
    failures.add(`${field} opens ${openings.length} leaves, required are ${drawn.length}`)
    return
  }
  const depth = treeDepth(leaves)
  for (const [i, index] of drawn.entries()) {
    const opening = openings[i]
    const fault = opening === undefined ? 'it is missing' : openingFault(index, opening, space, depth)
    if (fault === null) continue
    // One is enough to know that the space is not kept.
    failures.add(`${field}: opening ${i}, of leaf ${index}, fails: ${fault}`)
    return
  }
}

function openingFault(
  index: bigint,
  opening: LeafOpening,
  { leafSize, root }: NonNullable<Operator['space']>,
  depth: number,
): string | null {
  if (opening.leaf.length !== leafSize) return `the leaf has ${opening.leaf.length} bytes, not ${leafSize}`
  if (opening.path.length !== depth) return `the path has ${opening.path.length} hashes, not ${depth}`
  const seen = openingRoot(index, opening)
  return seen === root ? null : `it has root ${seen}, registered is ${root}`
}

function checkSignature(
  field: string,
  signature: Uint8Array,
  statement: Statement,
  { publicKey, keyScheme, operatorId }: Operator,
  { verifySignature }: AttestedRules,
  failures: RuleFailures,
): void {
  const payload = stakeStatement(statement)
  if (verifySignature(publicKey, payload, signature, 'stake-attestation', keyScheme)) return
  failures.add(
    `${field}: the signature is not valid under the registered ${keyScheme} key of operator ${quoted(operatorId)}`,
  )
}
