/** Whose word is taken from whom: a vote only from its voter, because the openings in it have no signature. */
import { describe, expect, it } from 'vitest'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { Ingress } from '../../../src/runtime/ingress.ts'
import type { MessageVerifier } from '../../../src/runtime/message-verifier.ts'
import type { ConsensusMessage } from '../../../src/types/messages.ts'
import { mintVerified } from '../../../src/types/verified.ts'
import { blockOn, commitVote, GENESIS, quorumOn, timeout, validatorSet, vote } from '../consensus/harness.ts'

const set = validatorSet([1n, 1n, 1n, 1n])
const B1 = blockOn(GENESIS, 1)

/** What becomes of a message of validator 1's, by the one who sends it; every signature holds. */
function taken(from: number, message: ConsensusMessage) {
  const inputs: object[] = []
  const ingress = new Ingress({
    electorate: new Electorate(set),
    verifier: { verify: (checked: ConsensusMessage) => mintVerified(checked) } as MessageVerifier,
    triage: () => 'process' as never,
    input: (input) => void inputs.push(input),
  })
  const outcome = ingress.take(set.validators[from]?.id as never, message)
  return [outcome, inputs.length]
}

describe('a message of validator 1', () => {
  it.each<[string, ConsensusMessage]>([
    ['prepare', vote('prepare', 1, B1)],
    ['pre-commit', vote('pre-commit', 1, B1)],
  ])('that is a %s vote is taken from it alone', (_, message) => {
    expect(taken(1, message)).toEqual(['accepted', 1])
    expect(taken(2, message)).toEqual(['ignored', 0])
  })

  it.each<[string, ConsensusMessage]>([
    ['commit vote', commitVote(1, B1)],
    ['timeout', timeout(3, 1)],
    ['certificate', { kind: 'certificates', highQc: quorumOn('prepare', B1), highTc: null, finality: null }],
  ])('that is a %s, signed as a whole, may come by anyone', (_, message) => {
    expect([taken(1, message), taken(2, message)]).toEqual([
      ['accepted', 1],
      ['accepted', 1],
    ])
  })
})
