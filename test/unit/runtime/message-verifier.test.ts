/** What becomes Verified: real ML-DSA signatures over the real payloads, and every way of not having them. */
import { describe, expect, it } from 'vitest'
import { commitsDigest } from '../../../src/codec/ballots.ts'
import {
  certificateSigningPayload,
  commitSigningPayload,
  signedVotePayload,
  timeoutSigningPayload,
} from '../../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { ValidatorSignatures } from '../../../src/composition/validator-signatures.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import type { SignedKind } from '../../../src/crypto/signer.ts'
import { MessageVerifier } from '../../../src/runtime/message-verifier.ts'
import { type BallotCommit, type BallotOpening, NO_BALLOTS } from '../../../src/types/ballots.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../../../src/types/certificates.ts'
import {
  type CommitVote,
  type ConsensusMessage,
  type Proposal,
  type Timeout,
  type Vote,
  voteOfProposal,
} from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type GenesisHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import {
  blockOn,
  commitVote,
  GENESIS,
  proposal,
  quorumOn,
  stateAfter,
  timeout,
  timeoutQuorum,
  validatorSet,
  vote,
} from '../consensus/harness.ts'

const mlDsa = selectMlDsa65()
const keys = [0, 1, 2, 3].map((i) => mlDsa.keyPairFromSeed(new Uint8Array(32).fill(i + 1)))
const set = validatorSet([1n, 1n, 1n, 1n])
const electorate = new Electorate({
  ...set,
  validators: set.validators.map((validator, i) => ({
    ...validator,
    publicKey: keys[i]?.publicKey.raw ?? new Uint8Array(0),
  })),
})
const NETWORK = 'aa'.repeat(32) as GenesisHash
const OTHER_NETWORK = 'bb'.repeat(32) as GenesisHash
const signatures = new ValidatorSignatures(mlDsa, electorate.set)
const verifier = new MessageVerifier(NETWORK, electorate, signatures, () => null, GENESIS)

const B1 = blockOn(GENESIS, 1)
const B2 = blockOn(B1, 2)

function sign(validator: number, payload: Uint8Array, kind: SignedKind): Uint8Array {
  const key = keys[validator]
  if (key === undefined) throw new Error(`no validator ${validator}`)
  return key.sign(payload, SIGNATURE_CONTEXTS[kind])
}

function signedVote(kind: Vote['kind'], voter: number, network = NETWORK, ballots = NO_BALLOTS): Vote {
  const unsigned = vote(kind, voter, B1, ballots)
  return { ...unsigned, signature: sign(voter, signedVotePayload(network, unsigned), kind) }
}

function signedCommit(voter: number): CommitVote {
  const unsigned = commitVote(voter, B1)
  return { ...unsigned, signature: sign(voter, commitSigningPayload(NETWORK, unsigned), 'commit') }
}

function signedTimeout(view: number, voter: number, highQcView: number): Timeout {
  const unsigned = timeout(view, voter, highQcView)
  return { ...unsigned, signature: sign(voter, timeoutSigningPayload(NETWORK, unsigned), 'timeout') }
}

function signedQuorum(
  kind: QuorumCertificate['kind'],
  block = B1,
  voters: readonly number[] = [0, 1, 2],
  commitsOf: (voter: number) => Hex32 | null = () => null,
): QuorumCertificate {
  const unsigned = quorumOn(kind, block, voters)
  return {
    ...unsigned,
    signatures: voters.map((voter) => ({
      voter: asValidatorIndex(voter),
      signature: sign(voter, certificateSigningPayload(NETWORK, unsigned, commitsOf(voter)), kind),
      commits: commitsOf(voter),
    })),
  }
}

function signedTimeoutQuorum(
  view: number,
  highQc: QuorumCertificate,
  reports: readonly (readonly [number, number])[],
): TimeoutCertificate {
  const unsigned = timeoutQuorum(view, highQc, reports)
  return {
    ...unsigned,
    timeouts: unsigned.timeouts.map((report) => ({
      ...report,
      signature: signedTimeout(view, report.voter, report.highQcView).signature,
    })),
  }
}

/** By validator 2, who leads the view of {@link B2}. */
const signed = (unsigned: Proposal): Proposal => {
  const payload = signedVotePayload(NETWORK, voteOfProposal(unsigned))
  return { ...unsigned, signature: sign(2, payload, 'prepare') }
}
const signedProposal = (timeoutCertificate: TimeoutCertificate | null = null): Proposal =>
  signed(proposal(B2, timeoutCertificate))

const qc = signedQuorum('prepare')
const tc = signedTimeoutQuorum(3, qc, [
  [0, 1],
  [1, 0],
  [2, 1],
])
const bundle = (of: Partial<ConsensusMessage & { kind: 'certificates' }>): ConsensusMessage => ({
  kind: 'certificates',
  highQc: null,
  highTc: null,
  finality: null,
  ...of,
})

describe('a message that holds', () => {
  it.each<[string, ConsensusMessage]>([
    ['a prepare vote', signedVote('prepare', 1)],
    ['a pre-commit vote', signedVote('pre-commit', 1)],
    ['a commit vote', signedCommit(3)],
    ['a timeout', signedTimeout(5, 2, 4)],
    ['a proposal', signedProposal()],
    ['a proposal with a timeout certificate', signedProposal(tc)],
    ['a request', { kind: 'certificate-request', view: asView(9) }],
    ['a prepare certificate', bundle({ highQc: qc })],
    ['a pre-commit certificate as the lock (R0)', bundle({ highQc: signedQuorum('pre-commit') })],
    ['a timeout certificate', bundle({ highTc: tc })],
    ['a finality certificate', bundle({ finality: signedQuorum('pre-commit') })],
    [
      'a timeout certificate of the first views',
      bundle({
        highTc: signedTimeoutQuorum(1, quorumOn('prepare', GENESIS), [
          [0, 0],
          [2, 0],
          [3, 0],
        ]),
      }),
    ],
  ])('%s is verified as it is', (_, message) => {
    expect(verifier.verify(message)).toEqual(message)
  })
})

describe('a message that does not hold', () => {
  const swapped = { ...qc, signatures: qc.signatures.toReversed() }
  const outsider = { ...qc, signatures: [...qc.signatures.slice(0, 2), { ...qc.signatures[2], voter: 9 }] }
  it.each<[string, ConsensusMessage]>([
    ['a vote by another', { ...signedVote('prepare', 1), voter: asValidatorIndex(2) }],
    ['a vote for another block', { ...signedVote('prepare', 1), blockHash: B2.hash }],
    ['a vote at another height', { ...signedVote('prepare', 1), height: asHeight(2) }],
    ['a vote of another epoch', { ...signedVote('prepare', 1), epoch: asEpoch(2) }],
    ['a prepare vote as a pre-commit vote', { ...signedVote('prepare', 1), kind: 'pre-commit' }],
    ['a vote of another network', signedVote('prepare', 1, OTHER_NETWORK)],
    ['a vote of an index outside the set', { ...signedVote('prepare', 1), voter: asValidatorIndex(7) }],
    ['a vote with a short signature', { ...signedVote('prepare', 1), signature: new Uint8Array(3) }],
    ['a commit vote for another state', { ...signedCommit(3), stateRoot: stateAfter(B2) }],
    ['a timeout that reports another view', { ...signedTimeout(5, 2, 3), highQcView: asView(4) }],
    ['a timeout that reports its own view', signedTimeout(5, 2, 5)],
    ['a timeout that reports a later view', signedTimeout(5, 2, 2 ** 40)],
    ['a proposal signed by another', { ...signedProposal(), signature: signedVote('prepare', 2).signature }],
    [
      'a proposal signed for another block',
      { ...signedProposal(), signature: signed(proposal(blockOn(B1, 2, { timestamp: 9 }))).signature },
    ],
    [
      'a proposal signed as a pre-commit vote',
      {
        ...signedProposal(),
        signature: sign(2, signedVotePayload(NETWORK, voteOfProposal(signedProposal())), 'pre-commit'),
      },
    ],
    ['a proposal whose timeout certificate does not hold', signedProposal({ ...tc, view: asView(4) })],
    ['a certificate below a quorum', bundle({ highQc: signedQuorum('prepare', B1, [0, 1]) })],
    ['a certificate with one voter twice', bundle({ highQc: signedQuorum('prepare', B1, [0, 1, 1]) })],
    ['a certificate out of order', bundle({ highQc: swapped })],
    ['a certificate of an outsider', bundle({ highQc: outsider as QuorumCertificate })],
    ['a certificate for another height', bundle({ highQc: { ...qc, height: asHeight(7) } })],
    ['a certificate of another epoch', bundle({ highQc: { ...qc, epoch: asEpoch(2) } })],
    ['a prepare certificate as finality', bundle({ finality: qc })],
    ['a prepare certificate called finality', bundle({ finality: { ...qc, kind: 'pre-commit' } })],
    ['a commit certificate as the lock', bundle({ highQc: signedQuorum('commit') })],
    ['a prepare certificate with a state root', bundle({ highQc: { ...qc, stateRoot: stateAfter(B1) } })],
    [
      'a timeout certificate that proves less than it reports',
      bundle({
        highTc: signedTimeoutQuorum(3, qc, [
          [0, 1],
          [1, 2],
          [2, 1],
        ]),
      }),
    ],
    ['a timeout certificate below a quorum', bundle({ highTc: { ...tc, timeouts: tc.timeouts.slice(1) } })],
    [
      'a timeout certificate of the certificate’s view',
      bundle({
        highTc: signedTimeoutQuorum(1, qc, [
          [0, 0],
          [1, 0],
          [2, 0],
        ]),
      }),
    ],
    [
      'a timeout certificate with an unsigned lock',
      bundle({
        highTc: { ...tc, highQc: { ...qc, signatures: [] } },
      }),
    ],
    [
      'a timeout certificate with a commit certificate',
      bundle({
        highTc: { ...tc, highQc: signedQuorum('commit') },
      }),
    ],
    [
      'a timeout certificate on a genesis that has signatures or height',
      bundle({
        highTc: signedTimeoutQuorum(1, { ...quorumOn('prepare', GENESIS), height: asHeight(5) }, [
          [0, 0],
          [1, 0],
          [2, 0],
        ]),
      }),
    ],
    ['a right certificate beside a wrong one', bundle({ highQc: qc, highTc: { ...tc, view: asView(9) } })],
  ])('%s is refused', (_, message) => {
    expect(verifier.verify(message)).toBe(null)
  })

  it('a commit certificate without its state root is refused', () => {
    expect(verifier.verifyCertificate(signedQuorum('commit'))).not.toBe(null)
    expect(verifier.verifyCertificate({ ...signedQuorum('commit'), stateRoot: null })).toBe(null)
  })
})

describe('commits', () => {
  const slot = { height: B1.header.height, blockHash: B1.hash, round: 0 }
  const commitOf = (byte: string, of: Partial<BallotCommit> = {}): BallotCommit => ({
    ...slot,
    commit: byte.repeat(32) as Hex32,
    ...of,
  })
  const opening: BallotOpening = { ...slot, rules: 1, findings: [1365], salt: '0e'.repeat(32) as Hex32 }
  const voteWith = (
    voter: number,
    commits: readonly BallotCommit[],
    openings: readonly BallotOpening[] = [],
  ) => signedVote('prepare', voter, NETWORK, { commits, openings })
  const one = voteWith(1, [commitOf('0a')])
  const three = voteWith(3, [commitOf('0b')])

  /** A proposal of a block with these commits in it, and these votes beside it. */
  function carrying(
    commits: readonly (BallotCommit & { readonly voter: number })[],
    ballotVotes: readonly Vote[],
  ): ConsensusMessage {
    const ballots = hashTransaction({
      kind: 'ballots',
      commits: commits.map((commit) => ({ ...commit, voter: asValidatorIndex(commit.voter) })),
      openings: [],
    })
    const block = blockOn(B1, 2, { transactions: commits.length === 0 ? [] : [ballots] })
    return { ...signed(proposal(block)), ballotVotes }
  }
  const good = [
    { voter: 1, ...commitOf('0a') },
    { voter: 3, ...commitOf('0b') },
  ]

  it.each<[string, ConsensusMessage]>([
    ['a vote with them', one],
    [
      'a vote with openings, which need no signature',
      { ...one, ballots: { ...one.ballots, openings: [opening] } },
    ],
    [
      'a pre-commit vote with openings',
      signedVote('pre-commit', 1, NETWORK, { commits: [], openings: [opening] }),
    ],
    ['a block with them and the votes that vouch for them', carrying(good, [one, three])],
    ['a block with fewer than the votes beside it have', carrying(good.slice(0, 1), [one, three])],
    ['votes beside a block without ballots', carrying([], [one])],
    ["a proposal with its leader's", signed(proposal(B2, null, [commitOf('0a')]))],
    [
      'a certificate of votes with and without them',
      bundle({
        highQc: signedQuorum('prepare', B1, [0, 1, 2], (voter) =>
          voter === 1 ? commitsDigest([commitOf('0a')]) : null,
        ),
      }),
    ],
  ])('hold: %s', (_, message) => {
    expect(verifier.verify(message)).toEqual(message)
  })

  it.each<[string, ConsensusMessage]>([
    [
      'a vote whose commits were tampered with',
      { ...one, ballots: { commits: [commitOf('0c')], openings: [] } },
    ],
    [
      'a vote with two commits in one slot',
      signedVote('prepare', 1, NETWORK, { commits: [commitOf('0a'), commitOf('0c')], openings: [] }),
    ],
    ['a vote whose commits were taken away', { ...one, ballots: { commits: [], openings: [] } }],
    ['a vote that got commits', { ...signedVote('prepare', 1), ballots: one.ballots }],
    [
      'a vote whose commit was moved to another round',
      { ...one, ballots: { commits: [commitOf('0a', { round: 1 })], openings: [] } },
    ],
    [
      'a pre-commit vote with commits',
      signedVote('pre-commit', 1, NETWORK, { commits: [commitOf('0a')], openings: [] }),
    ],
    ['a block with a commit that no vote vouches for', carrying(good, [one])],
    ['a block with commits and no votes at all', carrying(good, [])],
    ["a block with a commit under another's name", carrying([{ voter: 0, ...commitOf('0a') }], [one])],
    ['a block with another commit than the vote has', carrying([{ voter: 1, ...commitOf('0c') }], [one])],
    [
      'a block with a commit to another height than the vote has',
      carrying([{ voter: 1, ...commitOf('0a', { height: asHeight(9) }) }], [one]),
    ],
    [
      'a vouching vote with another voter on it',
      carrying([{ voter: 0, ...commitOf('0a') }], [{ ...one, voter: asValidatorIndex(0) }]),
    ],
    [
      'a vouching vote that does not hold',
      carrying(good.slice(0, 1), [{ ...one, signature: three.signature }]),
    ],
    [
      'a vouching vote of another network',
      carrying(good.slice(0, 1), [signedVote('prepare', 1, OTHER_NETWORK, one.ballots)]),
    ],
    ['vouching votes out of order', carrying(good, [three, one])],
    ['one vouching vote twice', carrying(good, [one, one, three])],
    ['a vouching pre-commit vote', carrying([], [signedVote('pre-commit', 1)])],
    ['a vouching vote of another epoch', carrying([], [{ ...one, epoch: asEpoch(2) }])],
    [
      'a certificate with another digest of them',
      bundle({
        highQc: {
          ...qc,
          signatures: qc.signatures.map((of) => ({ ...of, commits: commitsDigest([commitOf('0a')]) })),
        },
      }),
    ],
    [
      'a pre-commit certificate with any',
      bundle({
        finality: {
          ...signedQuorum('pre-commit'),
          signatures: signedQuorum('pre-commit').signatures.map((of) => ({
            ...of,
            commits: '0a'.repeat(32) as Hex32,
          })),
        },
      }),
    ],
  ])('do not hold: %s', (_, message) => {
    expect(verifier.verify(message)).toBe(null)
  })
})

describe('a certificate that is held', () => {
  const checks = { count: 0 }
  const counting = new MessageVerifier(
    NETWORK,
    electorate,
    {
      isValid: (...asked) => {
        checks.count++
        return signatures.isValid(...asked)
      },
    },
    ({ view, blockHash }) => (view === qc.view && blockHash === qc.blockHash ? qc : null),
    null,
  )

  it('is not checked again', () => {
    checks.count = 0
    expect(counting.verifyCertificate(signedQuorum('prepare', B1, [1, 2, 3]))).toBe(qc)
    expect(checks.count).toBe(0)
  })

  const forgeries: QuorumCertificate[] = [
    { ...qc, signatures: [] },
    { ...qc, height: asHeight(77) },
    {
      ...qc,
      signatures: qc.signatures.map(({ voter }) => ({
        voter,
        signature: new Uint8Array(3_309),
        commits: null,
      })),
    },
  ]
  it.each(forgeries)('takes the place of whatever came under its reference (%#)', (forged) => {
    expect(counting.verify(bundle({ highQc: forged }))).toEqual(bundle({ highQc: qc }))
    const inside = counting.verify(bundle({ highTc: { ...tc, highQc: forged } }))
    expect(inside).toEqual(bundle({ highTc: tc }))
    expect(counting.verify(signedProposal({ ...tc, highQc: forged }))).toMatchObject({
      timeoutCertificate: { highQc: { signatures: qc.signatures, height: 1 } },
    })
  })

  it('does not vouch for another kind', () => {
    expect(counting.verifyCertificate({ ...qc, kind: 'pre-commit' })).toBe(null)
  })
})
