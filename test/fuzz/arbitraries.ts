/** Random values of everything that has canonical bytes. Test material only. */
import fc, { type Arbitrary } from 'fast-check'
import { hashBlock, transactionsRoot } from '../../src/codec/block.ts'
import type { StateFrontiers } from '../../src/codec/ledger-state.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { appendLeaves, EMPTY_FRONTIER } from '../../src/ledger/frontier.ts'
import type { BlockHeader, CertificateReference, HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../../src/types/certificates.ts'
import type { CommitPair, Evidence, SignedCommits, SignedContent } from '../../src/types/evidence.ts'
import type { AnswerFigures, Frontier } from '../../src/types/ledger-state.ts'
import type { ConsensusMessage, Proposal, Vote } from '../../src/types/messages.ts'
import type { Operator, OperatorOperation, OperatorRecord } from '../../src/types/operator.ts'
import {
  type AccountId,
  asHeight,
  type Epoch,
  type Height,
  type Hex32,
  type UnixMs,
  type ValidatorId,
  type ValidatorIndex,
} from '../../src/types/primitives.ts'
import type { Receipt } from '../../src/types/receipt.ts'
import type { Account, StakingState } from '../../src/types/staking.ts'
import type { HashedTransaction, StakingOperation, Transaction } from '../../src/types/transaction.ts'
import {
  CERTIFICATE_TYPES,
  type CertificateValidationRequest,
  type FourProofValidationRequest,
  type SecondsNanos,
  WORK_STATES,
  WORKLOAD_TYPES,
} from '../../src/types/validation-request.ts'
import type { Validator } from '../../src/types/validator-set.ts'
import type { RuleFailure, VerdictRecord } from '../../src/types/verdict.ts'
import { ballotSlot, ballots, ballotsTransaction } from './ballot-arbitraries.ts'
import { counter, hex, index, u32, u64 } from './primitive-arbitraries.ts'

const text = fc.string({ unit: 'binary', maxLength: 24 }).filter((value) => value.isWellFormed())
const texts = fc.array(text, { maxLength: 4 })
const bytes = fc.uint8Array({ maxLength: 40 })
const seconds: Arbitrary<SecondsNanos> = fc.record({ secs: u64, nanos: u32 })
const double = fc.double({ noNaN: true })
const signature = fc.nat(255).map((n) => new Uint8Array(3_309).fill(n))

const metadata = fc
  .uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 4 })
  .map((entries) => entries.sort(([a], [b]) => (a < b ? -1 : 1)))

const certificateValidationRequest: Arbitrary<CertificateValidationRequest> = fc.record({
  certificateRequest: fc.record({
    commonName: text,
    sanEntries: texts,
    nodeId: text,
    ipv6Addresses: texts,
    consensusProof: fc.record({
      stakeProof: fc.record({
        stakeHolder: text,
        stakeHolderId: text,
        stakeAmount: u64,
        stakeTimestamp: seconds,
      }),
      timeProof: fc.record({
        networkTimeOffset: seconds,
        timeVerificationTimestamp: seconds,
        nonce: u64,
        proofHash: bytes,
      }),
      spaceProof: fc.record({
        nodeId: text,
        storagePath: text,
        totalSize: u64,
        totalStorage: u64,
        fileHash: text,
        proofTimestamp: seconds,
      }),
      workProof: fc.record({
        ownerId: text,
        workloadId: text,
        pid: u64,
        computationalPower: u64,
        workloadType: fc.constantFrom(...WORKLOAD_TYPES),
        workState: fc.constantFrom(...WORK_STATES),
        workChallenges: texts,
        proofTimestamp: seconds,
      }),
    }),
    timestamp: seconds,
  }),
  consensusRequirements: fc.record({
    minimumStake: u64,
    maxTimeOffset: seconds,
    minimumStorage: u64,
    minimumCompute: u64,
    byzantineTolerance: double,
  }),
  requestId: text,
  timestamp: seconds,
  validationContext: fc.record({
    caId: text,
    networkId: text,
    certificateType: fc.constantFrom(...CERTIFICATE_TYPES),
    metadata,
  }),
})

const fourProofValidationRequest: Arbitrary<FourProofValidationRequest> = fc.record({
  proofSet: fc.record({
    spaceProof: fc.record({ storageCommitment: u64, networkPosition: text, allocationProof: bytes }),
    stakeProof: fc.record({ stakeAmount: u64, authorityLevel: u64, accessPermissions: texts }),
    workProof: fc.record({ computationalProof: bytes, difficultyTarget: u32, operationSignature: text }),
    timeProof: fc.record({ blockTimestamp: u64, sequenceNumber: u64, temporalProof: bytes }),
  }),
  operation: text,
  assetId: text,
  nodeId: text,
  timestamp: seconds,
})

const publicKey = fc.nat(255).map((n) => new Uint8Array(1_952).fill(n))
const operation: Arbitrary<StakingOperation> = fc.oneof(
  fc.record({ kind: fc.constant('transfer' as const), to: hex<AccountId>(), amount: u64 }),
  fc.record({ kind: fc.constantFrom('bond' as const, 'unbond' as const), amount: u64 }),
  fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const) }),
  fc.record({ kind: fc.constant('change-key' as const), newPublicKey: publicKey, proof: signature }),
)
const signedContent: Arbitrary<SignedContent> = fc.record({
  height: counter(),
  blockHash: hex(),
  signature,
  commits: fc.option(hex<Hex32>()),
})
const evidence: Arbitrary<Evidence> = fc.record({
  kind: fc.constantFrom('prepare' as const, 'pre-commit' as const),
  epoch: counter(),
  view: counter(),
  publicKey,
  first: signedContent,
  second: signedContent,
})
const signedCommits: Arbitrary<SignedCommits> = fc.record({
  epoch: counter(),
  view: counter(),
  height: counter(),
  blockHash: hex(),
  signature,
  commits: ballots.map(({ commits }) => commits),
})
const commitPair: Arbitrary<CommitPair> = fc.record({
  slot: ballotSlot,
  publicKey,
  first: signedCommits,
  second: signedCommits,
})

const operatorRecord: Arbitrary<OperatorRecord> = fc.record({
  operatorId: fc.string({ maxLength: 40 }),
  keyScheme: fc.constantFrom('ml-dsa-65' as const, 'falcon-1024' as const),
  publicKey,
  bondedStake: u64,
  space: fc.option(fc.record({ bytes: u64, leafSize: u32, root: hex<Hex32>() })),
  authorityLevel: u64,
  aliases: fc.array(fc.string({ maxLength: 40 }), { maxLength: 3 }),
})
const operatorOperation: Arbitrary<OperatorOperation> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('register' as const, 'update' as const),
    record: operatorRecord,
    possession: fc.uint8Array({ maxLength: 64 }),
  }),
  fc.record({ kind: fc.constant('retire' as const) }),
)

export const transaction: Arbitrary<Transaction> = fc.oneof(
  ballotsTransaction,
  fc.record({
    kind: fc.constant('operator' as const),
    publicKey,
    sequence: counter<number>(),
    expiresAtHeight: counter<Height>(),
    operation: operatorOperation,
    signature,
  }),
  fc.record({
    kind: fc.constant('staking' as const),
    publicKey,
    sequence: counter<number>(),
    expiresAtHeight: counter<Height>(),
    operation,
    signature,
  }),
  fc.record({ kind: fc.constant('evidence' as const), evidence }),
  fc.record({ kind: fc.constant('commit-pair' as const), pair: commitPair }),
  fc.record({ kind: fc.constant('validate-certificate' as const), request: certificateValidationRequest }),
  fc.record({ kind: fc.constant('validate-proofs' as const), request: fourProofValidationRequest }),
)
export const hashedTransaction: Arbitrary<HashedTransaction> = transaction.map(hashTransaction)

const reference: Arbitrary<CertificateReference> = fc.record({ view: counter(), blockHash: hex() })
const header: Arbitrary<BlockHeader> = fc.record({
  genesisHash: hex(),
  epoch: counter(),
  view: counter(),
  height: counter(),
  parentHash: hex(),
  justify: reference,
  timestamp: counter(),
  proposer: index(),
  transactionsRoot: hex(),
  proofCommitment: hex(48),
  noteCommitmentRoot: hex(),
  nullifierRoot: hex(),
  parentStateRoot: hex(),
  validatorSetRoot: hex(),
})
export const block: Arbitrary<HashedBlock> = fc
  .record({ header, transactions: fc.array(hashedTransaction, { maxLength: 3 }) })
  .map(({ header, transactions }) =>
    hashBlock({ header: { ...header, transactionsRoot: transactionsRoot(transactions) }, transactions }),
  )

export const quorumCertificate: Arbitrary<QuorumCertificate> = fc.record({
  kind: fc.constantFrom('prepare', 'pre-commit', 'commit'),
  epoch: counter(),
  view: counter(),
  height: counter(),
  blockHash: hex(),
  stateRoot: fc.option(hex()),
  signatures: fc.array(fc.record({ voter: index(), signature, commits: fc.option(hex()) }), { maxLength: 3 }),
})
const timeoutCertificate: Arbitrary<TimeoutCertificate> = fc.record({
  epoch: counter(),
  view: counter(),
  timeouts: fc.array(fc.record({ voter: index(), highQcView: counter(), signature }), { maxLength: 3 }),
  highQc: quorumCertificate,
})

const scope = { epoch: counter(), view: counter(), voter: index(), signature }
const vote = { ...scope, height: counter(), blockHash: hex(), ballots }
const commits: Arbitrary<Proposal['commits']> = ballots.map((said) => said.commits)

/** Votes as they stand beside an honest leader's block, but for what was changed in some. */
export const proposalWithVotes: Arbitrary<Proposal> = fc
  .record({
    header,
    ballots: ballotsTransaction,
    signature,
    commits,
    others: fc.array(index<ValidatorIndex>(), { maxLength: 2 }),
    changes: fc.array(fc.record(vote, { requiredKeys: [] }) as Arbitrary<Partial<Vote>>, { maxLength: 4 }),
  })
  .map(({ header, ballots, signature, commits, others, changes }) => {
    const transactions = [hashTransaction(ballots)]
    const block = hashBlock({
      header: { ...header, transactionsRoot: transactionsRoot(transactions) },
      transactions,
    })
    const { epoch, height, justify } = header
    const voters = [...new Set(ballots.commits.map(({ voter }) => voter)), ...others]
    const ballotVotes = voters.map((voter, i): Vote => {
      const said = ballots.commits.filter((commit) => commit.voter === voter)
      const vote = {
        kind: 'prepare' as const,
        epoch,
        view: justify.view,
        height: asHeight(Math.max(0, height - 1)),
        blockHash: justify.blockHash,
        voter,
        signature,
        ballots: { commits: said.map(({ voter: _, ...commit }) => commit), openings: [] },
      }
      return { ...vote, ...changes[i] }
    })
    return { kind: 'proposal', block, timeoutCertificate: null, ballotVotes, signature, commits }
  })

export const message: Arbitrary<ConsensusMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('proposal' as const),
    block,
    timeoutCertificate: fc.option(timeoutCertificate),
    ballotVotes: fc.array(fc.record({ kind: fc.constant('prepare' as const), ...vote }), { maxLength: 2 }),
    signature,
    commits,
  }),
  fc.record({ kind: fc.constantFrom('prepare', 'pre-commit'), ...vote }),
  fc.record({
    kind: fc.constant('commit' as const),
    ...scope,
    height: counter(),
    blockHash: hex(),
    stateRoot: hex(),
  }),
  fc.record({
    kind: fc.constant('timeout' as const),
    ...scope,
    highQcView: counter(),
    highQc: reference,
    final: fc.record({ height: counter(), blockHash: hex() }),
  }),
  fc.record({
    kind: fc.constant('certificates' as const),
    highQc: fc.option(quorumCertificate),
    highTc: fc.option(timeoutCertificate),
    finality: fc.option(quorumCertificate),
  }),
  fc.record({ kind: fc.constant('certificate-request' as const), view: counter() }),
) as Arbitrary<ConsensusMessage>

const failure: Arbitrary<RuleFailure> = fc.record({
  subject: fc.constantFrom('space', 'stake', 'work', 'time', 'request'),
  reason: text,
})
export const failures: Arbitrary<readonly RuleFailure[]> = fc.array(failure, { maxLength: 4 })
export const verdict: Arbitrary<VerdictRecord> = fc.record({
  requestKey: hex(),
  requestIdHash: hex(),
  kind: fc.constantFrom('validate-certificate', 'validate-proofs'),
  height: counter(),
  blockTime: counter(),
  decidedAt: counter(),
  status: fc.constantFrom('valid', 'invalid', 'expired'),
  findings: fc.nat(65_535),
  round: fc.nat(255),
  agreeing: fc.record({ validators: fc.nat(65_535), stake: u64 }),
  dissenting: fc.nat(65_535),
  eligibleStake: u64,
  proofHash: hex(),
  sequence: fc.option(fc.record({ nodeIdHash: hex(), number: u64 })),
})

const frontier: Arbitrary<Frontier> = fc
  .array(hex<Hex32>(), { maxLength: 9 })
  .map((leaves) => appendLeaves(EMPTY_FRONTIER, leaves))
export const accumulators: Arbitrary<StateFrontiers> = fc.record({
  nullifiers: frontier,
  verdicts: frontier,
})
export const account: Arbitrary<Account> = fc.record({
  id: hex<AccountId>(),
  balance: u64,
  sequence: counter<number>(),
  bonded: u64,
  unbonding: fc.array(
    fc.record({ amount: u64, matureHeight: counter<Height>(), matureTime: fc.option(counter<UnixMs>()) }),
    { maxLength: 3 },
  ),
  validatorKey: fc.option(publicKey),
  previousKeys: fc.array(fc.record({ id: hex<ValidatorId>(), lastEpoch: counter<Epoch>() }), {
    maxLength: 3,
  }),
  isJoined: fc.boolean(),
  tombstonedAt: fc.option(counter<Height>()),
})
export const operator: Arbitrary<Operator> = fc
  .tuple(operatorRecord, hex<AccountId>())
  .chain(([record, account]) =>
    fc.record({
      operatorId: fc.constant(record.operatorId),
      keyScheme: fc.constant(record.keyScheme),
      publicKey: fc.constant(record.publicKey),
      bondedStake: fc.constant(record.bondedStake),
      space: fc.constant(record.space),
      authorityLevel: fc.constant(record.authorityLevel),
      aliases: fc.constant(record.aliases),
      account: fc.constant(account),
      registeredAt: counter<Height>(),
      retirement: fc.option(fc.record({ height: counter<Height>(), reservedUntil: counter<Height>() })),
    }),
  )
export const stakingState: Arbitrary<StakingState> = fc.record({
  epoch: counter<Epoch>(),
  validators: fc.array(fc.record({ id: hex<ValidatorId>(), publicKey, stake: u64 }), { maxLength: 3 }),
  accounts: fc
    .uniqueArray(account, { selector: ({ id }) => id, maxLength: 3 })
    .map((list) => new Map(list.sort((a, b) => (a.id < b.id ? -1 : 1)).map((one) => [one.id, one]))),
  operators: fc
    .uniqueArray(operator, { selector: ({ account }) => account, maxLength: 3 })
    .map(
      (list) =>
        new Map(list.sort((a, b) => (a.account < b.account ? -1 : 1)).map((one) => [one.account, one])),
    ),
  slashes: fc.array(
    fc.record({
      account: hex<AccountId>(),
      height: counter<Height>(),
      time: counter<UnixMs>(),
      stake: u64,
      burnt: u64,
    }),
    { maxLength: 3 },
  ),
  epochEnds: fc.array(fc.record({ epoch: counter<Epoch>(), time: counter<UnixMs>() }), { maxLength: 3 }),
  burnt: u64,
})
const figures: Arbitrary<AnswerFigures> = fc.record({
  validationTimeUs: u64,
  consensusLatencyMs: u64,
  throughputPerSecond: double,
  networkOverheadBytes: u64,
  networkLoad: double,
})
export const verdictRow = fc.record({ figures, position: fc.nat(), lastOfRun: fc.nat() })

const validators: Arbitrary<readonly Validator[]> = fc.array(
  fc.record({
    id: hex<ValidatorId>(),
    publicKey: fc.nat(255).map((n) => new Uint8Array(1_952).fill(n)),
    stake: u64,
  }),
  { maxLength: 3 },
)

/** Any fields whatever: next to none of these prove anything. */
export const receipt: Arbitrary<Receipt> = fc.record({
  startEpoch: counter<Epoch>(),
  startBlock: fc.option(fc.record({ header, validators }), { nil: null }),
  handOvers: fc.array(fc.record({ header, certificate: quorumCertificate, validators }), { maxLength: 2 }),
  header,
  certificate: quorumCertificate,
  stateBranch: fc.record({
    validators: hex<Hex32>(),
    nullifiersAndNotes: hex<Hex32>(),
    parametersToTrust: hex<Hex32>(),
    operatorsAndBlocks: hex<Hex32>(),
  }),
  listSize: counter<number>(),
  position: counter<number>(),
  path: fc.array(hex<Hex32>(), { maxLength: 32 }),
  record: fc.uint8Array({ minLength: 1, maxLength: 200 }),
})
