/** Requests that are Valid at a known block time, a genesis, and blocks built on it. Test material only. */

import { validatorId } from '../../../src/codec/genesis.ts'
import { timeProofHash } from '../../../src/codec/proofs.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { signatureVerifier } from '../../../src/crypto/verify-signature.ts'
import { buildBlock, type ProposedFields } from '../../../src/ledger/build-block.ts'
import type { ChainRules } from '../../../src/ledger/chain-rules.ts'
import type { ExecutedBlock, ParentBlock } from '../../../src/ledger/executed-block.ts'
import { type GenesisState, genesisState } from '../../../src/ledger/genesis-state.ts'
import type { StateReader } from '../../../src/ledger/state-reader.ts'
import { epochOf } from '../../../src/types/epochs.ts'
import type { Genesis, ValidationPolicy } from '../../../src/types/genesis.ts'
import { asUnixMs, asValidatorIndex, asView, nextHeight } from '../../../src/types/primitives.ts'
import type {
  CertificateTransaction,
  FourProofTransaction,
  HashedTransaction,
} from '../../../src/types/transaction.ts'
import type {
  CertificateValidationRequest,
  FourProofValidationRequest,
  SecondsNanos,
  TimeProof,
} from '../../../src/types/validation-request.ts'

/** Seconds of every timestamp in a fresh request. */
export const NOW_SECS = 1_760_000_000n
export const BLOCK_TIME = asUnixMs(1_760_000_001_000)

export const at = (secs: bigint, nanos = 0): SecondsNanos => ({ secs, nanos })

export const POLICY: ValidationPolicy = {
  minimumStake: 100n,
  maxTimeOffsetMs: 300_000,
  minimumStorage: 1_048_576n,
  maximumStorage: 100n * 1024n ** 5n,
  minimumCompute: 10n,
  maximumCompute: 1_000_000n,
}

export const GENESIS: Genesis = {
  network: 'test',
  time: asUnixMs(1_759_999_999_000),
  parameters: {
    heartbeatMs: 2_000,
    viewTimeoutMinMs: 500,
    viewTimeoutMaxMs: 8_000,
    unreachableLeaderTimeoutMs: 100,
    clockSkewMaxMs: 5_000,
    blockBytesMax: 1_048_576,
    blockTransactionsMax: 1_024,
    certificateIntervalMs: 0,
    epochBlocks: 0,
    evidenceWindowBlocks: 10,
    evidenceWindowMs: 10_000,
    unbondingBlocks: 20,
    unbondingMs: 20_000,
    minimumValidatorStake: 1n,
  },
  policy: POLICY,
  validators: [0, 1, 2, 3].map((i) => {
    const publicKey = new Uint8Array(1_952).fill(i)
    return { id: validatorId(publicKey), publicKey, stake: 1n }
  }),
  accounts: [],
}

/** Real signature checks. */
export const PORTS = { verifySignature: signatureVerifier(selectMlDsa65()) }

/** Rules of {@link GENESIS} under which a verdict comes with its request, for tests that are not about how it comes. */
export const EXECUTED_RULES: ChainRules = { ...genesisState(GENESIS, PORTS).rules, verdicts: 'executed' }

/** The state before block 1 of {@link GENESIS}. */
export const EMPTY_STATE = genesisState(GENESIS, PORTS).state

/** A time proof whose hash matches. */
export function timeProof(fields: Partial<Omit<TimeProof, 'proofHash'>> = {}): TimeProof {
  const proof = {
    networkTimeOffset: at(0n, 5_000_000),
    timeVerificationTimestamp: at(NOW_SECS, 123_456_789),
    nonce: 18_446_744_073_709_551_557n,
    ...fields,
  }
  return { ...proof, proofHash: timeProofHash(proof) }
}

type Certificate = CertificateValidationRequest['certificateRequest']

interface CertificateOverrides {
  readonly top?: Partial<Omit<CertificateValidationRequest, 'certificateRequest'>>
  readonly certificate?: Partial<Omit<Certificate, 'consensusProof'>>
  readonly stake?: Partial<Certificate['consensusProof']['stakeProof']>
  readonly time?: Partial<TimeProof>
  readonly space?: Partial<Certificate['consensusProof']['spaceProof']>
  readonly work?: Partial<Certificate['consensusProof']['workProof']>
}

/** The certificate request of vectors/stoq.json, valid at {@link BLOCK_TIME}, with some fields replaced. */
export function certificateRequest(overrides: CertificateOverrides = {}): CertificateValidationRequest {
  const proofTimestamp = at(NOW_SECS, 123_456_789)
  return {
    certificateRequest: {
      commonName: 'test.hypermesh.online',
      sanEntries: ['test.hypermesh.online'],
      nodeId: 'test_node_001',
      ipv6Addresses: ['::1', '2001:db8::ff00:42:8329', '::ffff:192.0.2.1'],
      timestamp: at(NOW_SECS, 200_000_000),
      ...overrides.certificate,
      consensusProof: {
        stakeProof: {
          stakeHolder: 'test',
          stakeHolderId: 'test-001',
          stakeAmount: 1_000n,
          stakeTimestamp: proofTimestamp,
          ...overrides.stake,
        },
        timeProof: { ...timeProof(), ...overrides.time },
        spaceProof: {
          nodeId: 'test-node',
          storagePath: '/tmp/test',
          totalSize: 0n,
          totalStorage: 1_073_741_824n,
          fileHash: '',
          proofTimestamp,
          ...overrides.space,
        },
        workProof: {
          ownerId: 'test-owner',
          workloadId: 'test-workload',
          pid: 1_234n,
          computationalPower: 1_000n,
          workloadType: 'Certificate',
          workState: 'Pending',
          workChallenges: [],
          proofTimestamp,
          ...overrides.work,
        },
      },
    },
    consensusRequirements: {
      minimumStake: 100n,
      maxTimeOffset: at(300n),
      minimumStorage: 1_048_576n,
      minimumCompute: 10n,
      byzantineTolerance: 0,
      ...overrides.top?.consensusRequirements,
    },
    requestId: overrides.top?.requestId ?? 'trustchain-1760000000200-test.hypermesh.online',
    timestamp: overrides.top?.timestamp ?? at(NOW_SECS, 200_000_001),
    validationContext: overrides.top?.validationContext ?? {
      caId: 'trustchain-ca',
      networkId: 'hypermesh-production',
      certificateType: 'TLS',
      metadata: [],
    },
  }
}

interface SetOverrides {
  readonly top?: Partial<Omit<FourProofValidationRequest, 'proofSet'>>
  readonly space?: Partial<FourProofValidationRequest['proofSet']['spaceProof']>
  readonly stake?: Partial<FourProofValidationRequest['proofSet']['stakeProof']>
  readonly work?: Partial<FourProofValidationRequest['proofSet']['workProof']>
  readonly time?: Partial<FourProofValidationRequest['proofSet']['timeProof']>
}

/** The four-proof request of vectors/stoq.json, with some fields replaced. */
export function fourProofRequest(overrides: SetOverrides = {}): FourProofValidationRequest {
  return {
    operation: 'certificate_issuance',
    assetId: 'cert-001',
    nodeId: 'test_node_001',
    timestamp: at(NOW_SECS),
    ...overrides.top,
    proofSet: {
      spaceProof: {
        storageCommitment: 1_048_576n,
        networkPosition: 'hypermesh://test-node',
        allocationProof: Uint8Array.of(1, 2, 3, 4),
        ...overrides.space,
      },
      stakeProof: {
        stakeAmount: 10_000n,
        authorityLevel: 100n,
        accessPermissions: ['read', 'write'],
        ...overrides.stake,
      },
      workProof: {
        computationalProof: Uint8Array.of(5, 6, 7, 8),
        difficultyTarget: 20,
        operationSignature: 'certificate-issuance',
        ...overrides.work,
      },
      timeProof: {
        blockTimestamp: NOW_SECS,
        sequenceNumber: 1n,
        temporalProof: Uint8Array.of(9, 10, 11, 12),
        ...overrides.time,
      },
    },
  }
}

export const certificateTransaction = (
  overrides: CertificateOverrides = {},
): HashedTransaction<CertificateTransaction> =>
  hashTransaction({ kind: 'validate-certificate', request: certificateRequest(overrides) })

export const fourProofTransaction = (overrides: SetOverrides = {}): HashedTransaction<FourProofTransaction> =>
  hashTransaction({ kind: 'validate-proofs', request: fourProofRequest(overrides) })

/** A valid certificate transaction told apart by number. */
export const numberedTransaction = (n: number): HashedTransaction<CertificateTransaction> =>
  certificateTransaction({
    top: { requestId: `request-${n}` },
    time: timeProof({ nonce: BigInt(n) + 1n }),
  })

/** A chain that a test grows block by block, keeping the state in the hands of the test. */
export function genesisParent(genesis: Genesis = GENESIS): { state: GenesisState; parent: ParentBlock } {
  const state = genesisState(genesis, PORTS)
  const { block, stateRoot } = state
  return { state, parent: { hash: block.hash, header: block.header, stateRoot, state: state.state } }
}

export const asParent = (executed: ExecutedBlock, state: StateReader): ParentBlock => ({
  hash: executed.block.hash,
  header: executed.block.header,
  stateRoot: executed.stateRoot,
  state,
})

/** Fields of a proposal in the view after the parent's. */
export function proposed(parent: ParentBlock, fields: Partial<ProposedFields> = {}): ProposedFields {
  return {
    epoch: epochOf(nextHeight(parent.header.height), GENESIS.parameters.epochBlocks),
    view: asView(parent.header.view + 1),
    justify: { view: parent.header.view, blockHash: parent.hash },
    timestamp: asUnixMs(Math.max(BLOCK_TIME, parent.header.timestamp + 1)),
    proposer: asValidatorIndex(0),
    ...fields,
  }
}

/** A block built on `parent`; fails the test when a transaction was skipped. */
export function built(
  transactions: readonly HashedTransaction[],
  parent: ParentBlock,
  rules = genesisState(GENESIS, PORTS).rules,
): ExecutedBlock {
  const { executed, skipped } = buildBlock(proposed(parent), transactions, parent, rules)
  if (skipped.length > 0) throw new Error(`skipped: ${skipped.map(({ code }) => code).join()}`)
  return executed
}
