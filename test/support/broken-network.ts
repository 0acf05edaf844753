/** Seven validators of one stake, five of whose keys are in the wrong hands: checkpoints, and two histories. */
import { genesisHash } from '../../src/codec/genesis.ts'
import { checkpointSigningPayload } from '../../src/codec/recovery.ts'
import { certificateSigningPayload } from '../../src/codec/signing-payloads.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import type { ParentBlock } from '../../src/ledger/executed-block.ts'
import { genesisState } from '../../src/ledger/genesis-state.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { Genesis } from '../../src/types/genesis.ts'
import {
  asEpoch,
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  type BlockHash,
  type StateRoot,
  type ValidatorId,
} from '../../src/types/primitives.ts'
import type { ForkProof, SeedCheckpoint, SignedCheckpoint } from '../../src/types/recovery.ts'
import { PORTS } from '../unit/ledger/fixtures.ts'
import { BALANCE, idOf, keyOf, publicKeyOf, STAKE, stakingGenesis } from './staking-chain.ts'
import { stateAfter } from './state-after.ts'

export const SEVEN = [0, 1, 2, 3, 4, 5, 6]
export const COMPROMISED = [0, 1, 2, 3, 4]

export const BROKEN_GENESIS: Genesis = {
  ...stakingGenesis(),
  validators: SEVEN.map((i) => ({
    id: idOf(i) as string as ValidatorId,
    publicKey: publicKeyOf(i),
    stake: STAKE,
  })),
  accounts: [...SEVEN, 7]
    .map((i) => ({ id: idOf(i), balance: BALANCE }))
    .sort((a, b) => (a.id < b.id ? -1 : 1)),
}
export const NETWORK = genesisHash(BROKEN_GENESIS)

/** Signed by these validators. */
export function certificateBy(
  signers: readonly number[],
  of: Omit<QuorumCertificate, 'signatures'>,
): QuorumCertificate {
  const payload = certificateSigningPayload(NETWORK, { ...of, signatures: [] }, null)
  const signatures = signers.map((voter) => ({
    voter: asValidatorIndex(voter),
    signature: keyOf(voter).sign(payload, SIGNATURE_CONTEXTS[of.kind]),
    commits: null,
  }))
  return { ...of, signatures }
}

/** The last block of an epoch of four blocks, and the state after it. */
export function epochEnd(epochs: number, time = 1_000): { readonly parent: ParentBlock } {
  const { block, state, stateRoot, rules } = genesisState(BROKEN_GENESIS, PORTS)
  let parent: ParentBlock = { hash: block.hash, header: block.header, stateRoot, state }
  for (let height = 1; height <= 4 * epochs; height++) {
    const fields = {
      epoch: asEpoch(Math.floor((height - 1) / 4)),
      view: asView(height),
      justify: { view: parent.header.view, blockHash: parent.hash },
      timestamp: asUnixMs(parent.header.timestamp + time),
      proposer: asValidatorIndex(0),
    }
    const { executed } = buildBlock(fields, [], parent, rules)
    parent = {
      hash: executed.block.hash,
      header: executed.block.header,
      stateRoot: executed.stateRoot,
      state: stateAfter(parent.state, executed.changes),
    }
  }
  return { parent }
}

export function signedBy(custodian: number, checkpoint: SeedCheckpoint): SignedCheckpoint {
  const payload = checkpointSigningPayload(checkpoint)
  const signature = keyOf(custodian).sign(payload, SIGNATURE_CONTEXTS['seed-checkpoint'])
  return { ...checkpoint, custodian: publicKeyOf(custodian), signature }
}

/** What a validator keeps at the end of an epoch. */
export function checkpointOf(
  { parent }: { readonly parent: ParentBlock },
  custodian = 5,
  signers: readonly number[] = COMPROMISED,
): SignedCheckpoint {
  const { header, hash, stateRoot, state } = parent
  const { epoch, view, height } = header
  return signedBy(custodian, {
    genesisHash: NETWORK,
    epochBlocks: 4,
    header,
    stateRoot,
    voters: BROKEN_GENESIS.validators,
    validators: state.staking.validators,
    certificate: certificateBy(signers, { kind: 'commit', epoch, view, height, blockHash: hash, stateRoot }),
  })
}

/** Two blocks that both are final, by the certificates. */
export function fork(
  change: Partial<Omit<QuorumCertificate, 'signatures'>> = {},
  signers: readonly [readonly number[], readonly number[]] = [COMPROMISED, COMPROMISED],
): ForkProof {
  const of = {
    kind: 'pre-commit',
    epoch: asEpoch(1),
    view: asView(9),
    height: asHeight(6),
    blockHash: 'aa'.repeat(32) as BlockHash,
    stateRoot: null as StateRoot | null,
  } as const
  return {
    genesisHash: NETWORK,
    voters: BROKEN_GENESIS.validators,
    first: certificateBy(signers[0], of),
    second: certificateBy(signers[1], { ...of, blockHash: 'bb'.repeat(32) as BlockHash, ...change }),
  }
}
