/** The answer to a verdict: the network's findings, in this node's words only where they are about the same. */
import { describe, expect, it } from 'vitest'
import { ALL_VALID, findingsOf } from '../../../src/ledger/verdicts/findings.ts'
import type { StoredVerdict } from '../../../src/types/ledger-state.ts'
import type { RuleFailure, VerdictRecord } from '../../../src/types/verdict.ts'
import { answerOfVerdict } from '../../../src/validation/answer.ts'
import { verdictOf } from '../../support/fake-network.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const STAKE: RuleFailure = { subject: 'stake', reason: 'too little' }
const TIME: RuleFailure = { subject: 'time', reason: 'too late' }
const WHOLE: RuleFailure = { subject: 'request', reason: 'an id of another' }

const answer = (record: Partial<VerdictRecord>, failures: StoredVerdict['failures']) => {
  const stored = verdictOf(numberedTransaction(1), [])
  return answerOfVerdict({ ...stored, record: { ...stored.record, ...record }, failures }, 'node')
}
const invalid = (...failures: RuleFailure[]) => ({
  status: 'invalid' as const,
  findings: findingsOf(failures),
})
const GENERIC = (what: string, node = 'did not find the reason itself') =>
  `a quorum of the validators found invalid: ${what}; this node ${node}`
const WAS_AWAY = 'was not there when it was judged, and does not have the reason'

describe('an Invalid verdict', () => {
  it.each<[string, RuleFailure[], StoredVerdict['failures'], string[], string]>([
    [
      'that this node found, too',
      [STAKE, TIME],
      [STAKE, TIME],
      ['stake_proof', 'time_proof'],
      'too little; too late',
    ],
    [
      'with one reason for two proofs',
      [STAKE, { ...TIME, reason: STAKE.reason }],
      [STAKE, { ...TIME, reason: STAKE.reason }],
      ['stake_proof', 'time_proof'],
      'too little',
    ],
    ['of which it found a part', [STAKE, TIME], [TIME], ['stake_proof', 'time_proof'], 'too late'],
    ['of the request as a whole', [WHOLE], [WHOLE], [], 'an id of another'],
    ['that it was not there to judge', [STAKE], null, ['stake_proof'], GENERIC('stake', WAS_AWAY)],
    ['that it found Valid', [STAKE, WHOLE], [], ['stake_proof'], GENERIC('stake, request')],
    ['in which it found something else', [STAKE], [TIME], ['stake_proof'], GENERIC('stake')],
    ['in which it found more', [STAKE], [STAKE, TIME], ['stake_proof'], GENERIC('stake')],
  ])('%s', (_, found, own, failedProofs, reason) => {
    const { result, proofHash, details } = answer(invalid(...found), own)
    expect(result).toEqual({ kind: 'invalid', failedProofs, reason })
    expect(proofHash).toBeNull()
    expect(details.proofResults.stakeProofValid).toBe(!found.includes(STAKE))
  })

  it('has a proof without a quorum as not valid', () => {
    const { details } = answer({ status: 'invalid', findings: 0b01_01_00_01_10_01 }, [STAKE])
    const { spaceProofValid, stakeProofValid, workProofValid, timeProofValid } = details.proofResults
    expect([spaceProofValid, stakeProofValid, workProofValid, timeProofValid]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
})

describe('a verdict', () => {
  it('that expired is an error that says what to do, never Valid', () => {
    const nobody = { validators: 0, stake: 0n }
    const { result, proofHash, metrics, details } = answer(
      { status: 'expired', findings: 0, round: 2, agreeing: nobody },
      [],
    )
    expect(result).toEqual({
      kind: 'error',
      errorCode: 'INTERNAL_CONSENSUS_ERROR',
      message: 'no quorum of the validators found the same in 3 attempts: ask with a new request',
    })
    expect([proofHash, metrics.confidenceLevel, details.bftStatus.faultToleranceMaintained]).toEqual([
      null,
      0,
      false,
    ])
  })

  it('that is Valid says who agreed, of all who could weigh, and who did not', () => {
    const { result, metrics, details } = answer(
      { findings: ALL_VALID, agreeing: { validators: 3, stake: 300n }, eligibleStake: 400n, dissenting: 1 },
      // This node was among those who found otherwise: the verdict is the network's.
      [STAKE],
    )
    expect(result).toEqual({ kind: 'valid' })
    expect([metrics.validatorNodes, metrics.confidenceLevel]).toEqual([3, 0.75])
    expect(details.bftStatus).toEqual({
      byzantineNodesDetected: 1,
      faultToleranceMaintained: true,
      recoveryActionTaken: null,
    })
  })
})
