/**
 * Receipts of a network whose keys are in this process: verdicts of executed blocks, real signatures, and, when a test
 * wants it, a change of the validators in between. Blocks that nobody executed stand where only headers matter.
 */
import { blockHash } from '../../src/codec/block.ts'
import { genesisHash, validatorId } from '../../src/codec/genesis.ts'
import { fromHex } from '../../src/codec/hex.ts'
import { commitSigningPayload, voteSigningPayload } from '../../src/codec/signing-payloads.ts'
import { encodeVerdict, verdictLeaf } from '../../src/codec/verdict.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../src/crypto/ml-dsa.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { signatureVerifier } from '../../src/crypto/verify-signature.ts'
import { appendLeaves, EMPTY_FRONTIER } from '../../src/ledger/frontier.ts'
import { EMPTY_ACCUMULATORS } from '../../src/ledger/genesis-state.ts'
import { genesisTrust } from '../../src/ledger/receipt/genesis-trust.ts'
import { merklePath } from '../../src/ledger/receipt/merkle-path.ts'
import { genesisStaking } from '../../src/ledger/staking/genesis-staking.ts'
import { validatorSetRoot } from '../../src/ledger/staking/staking-root.ts'
import { fixedRoots, stateBranch, stateRoot } from '../../src/ledger/state-root.ts'
import { genesisVoting } from '../../src/ledger/verdicts/genesis-voting.ts'
import type { BlockHeader } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { Genesis } from '../../src/types/genesis.ts'
import {
  asEpoch,
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  type Hex32,
  type StateRoot,
} from '../../src/types/primitives.ts'
import type { Receipt, ReceiptTrust } from '../../src/types/receipt.ts'
import type { HandOver } from '../../src/types/snapshot.ts'
import type { Validator } from '../../src/types/validator-set.ts'
import { GENESIS, numberedTransaction } from '../unit/ledger/fixtures.ts'
import { FinalChain } from './final-chain.ts'

export const EPOCH_BLOCKS = 4

/** Real checks by this runtime's ML-DSA. */
export const verifySignature = signatureVerifier(selectMlDsa65())

const keyOf = (seed: number): MlDsaKeyPair => selectMlDsa65().keyPairFromSeed(new Uint8Array(32).fill(seed))
/** The four founders' keys, then the four of those who follow them. */
export const FOUNDERS: readonly MlDsaKeyPair[] = [1, 2, 3, 4].map(keyOf)
export const SUCCESSORS: readonly MlDsaKeyPair[] = [5, 6, 7, 8].map(keyOf)

export const validatorsOf = (keys: readonly MlDsaKeyPair[], stake = 1n): Validator[] =>
  keys.map(({ publicKey }) => ({ id: validatorId(publicKey.raw), publicKey: publicKey.raw, stake }))

export const RECEIPT_GENESIS: Genesis = {
  ...GENESIS,
  network: 'receipts',
  parameters: { ...GENESIS.parameters, epochBlocks: EPOCH_BLOCKS },
  validators: validatorsOf(FOUNDERS),
}
export const TRUST = genesisTrust(RECEIPT_GENESIS)

/** A certificate of these voters, each signature by the key at its place. */
export function certificateOf(
  header: BlockHeader,
  keys: readonly MlDsaKeyPair[],
  kind: 'prepare' | 'pre-commit' | 'commit' = 'pre-commit',
  voters: readonly number[] = [0, 1, 2],
): QuorumCertificate {
  const of = {
    epoch: header.epoch,
    view: header.view,
    height: header.height,
    blockHash: blockHash(header),
  }
  const root = kind === 'commit' ? ('5a'.repeat(32) as StateRoot) : null
  const payload =
    root === null
      ? voteSigningPayload(
          header.genesisHash,
          { kind: kind === 'prepare' ? kind : 'pre-commit', ...of },
          null,
        )
      : commitSigningPayload(header.genesisHash, { ...of, stateRoot: root })
  const signatures = voters.map((voter) => ({
    voter: asValidatorIndex(voter),
    signature: Uint8Array.from((keys[voter] as MlDsaKeyPair).sign(payload, SIGNATURE_CONTEXTS[kind])),
    commits: null,
  }))
  return { kind, ...of, stateRoot: root, signatures }
}

export function headerAt(height: number, change: Partial<BlockHeader> = {}): BlockHeader {
  return {
    genesisHash: genesisHash(RECEIPT_GENESIS),
    epoch: asEpoch(Math.floor((height - 1) / EPOCH_BLOCKS)),
    view: asView(height + 1),
    height: asHeight(height),
    parentHash: '11'.repeat(32) as never,
    justify: { view: asView(height), blockHash: '11'.repeat(32) as never },
    timestamp: asUnixMs(1_760_000_000_000 + height),
    proposer: asValidatorIndex(1),
    transactionsRoot: '22'.repeat(32) as Hex32,
    proofCommitment: '33'.repeat(48),
    noteCommitmentRoot: '44'.repeat(32) as Hex32,
    nullifierRoot: '55'.repeat(32) as Hex32,
    parentStateRoot: '66'.repeat(32) as StateRoot,
    validatorSetRoot: validatorSetRoot(RECEIPT_GENESIS.validators),
    ...change,
  }
}

const RECORDS = new FinalChain()
  .next(Array.from({ length: 70 }, (_, i) => numberedTransaction(i + 1)))
  .changes.verdicts.map(encodeVerdict)

/** Nodes of a list by level and index, as a node keeps them. */
export function listOf(leaves: readonly Hex32[]) {
  const nodes = new Map<string, Uint8Array>()
  const frontier = appendLeaves(EMPTY_FRONTIER, leaves, (level, index, root) => {
    nodes.set(`${level}/${index}`, root)
  })
  const node = (level: number, index: number): Uint8Array => {
    const root = nodes.get(`${level}/${index}`)
    if (root === undefined) throw new Error(`no node ${index} of level ${level}`)
    return root
  }
  return { frontier, node }
}

/** The hand-over from the founders at the end of epoch 0. */
export function handOverTo(keys: readonly MlDsaKeyPair[]): HandOver {
  const validators = validatorsOf(keys)
  const header = headerAt(EPOCH_BLOCKS, { validatorSetRoot: validatorSetRoot(validators) })
  return { header, certificate: certificateOf(header, FOUNDERS, 'commit'), validators }
}

export interface FixtureOptions {
  readonly size?: number
  readonly position?: number
  /** The successors follow the founders at the end of epoch 0. */
  readonly isChanged?: boolean
  /** In place of the executed ones. */
  readonly records?: readonly Uint8Array[]
}

/** A receipt that holds under {@link TRUST}. */
export function receiptOf({
  size = 5,
  position = 2,
  isChanged = false,
  records: all = RECORDS,
}: FixtureOptions = {}): Receipt {
  const records = all.slice(0, size)
  const { frontier, node } = listOf(records.map(verdictLeaf))
  const fixed = fixedRoots(RECEIPT_GENESIS.parameters, RECEIPT_GENESIS.policy)
  const accumulators = { ...EMPTY_ACCUMULATORS, verdicts: frontier }
  const staking = genesisStaking(RECEIPT_GENESIS)
  const voting = genesisVoting(staking)
  const header = headerAt(isChanged ? 2 * EPOCH_BLOCKS + 2 : 3, {
    parentStateRoot: stateRoot(accumulators, staking, voting, fixed),
  })
  return {
    startEpoch: asEpoch(0),
    startBlock: null,
    handOvers: isChanged ? [handOverTo(SUCCESSORS)] : [],
    header,
    certificate: certificateOf(header, isChanged ? SUCCESSORS : FOUNDERS),
    stateBranch: stateBranch(accumulators, staking, voting, fixed),
    listSize: size,
    position,
    path: merklePath(position, size, node),
    record: records[position] ?? new Uint8Array(),
  }
}

/** The same receipt as it is made for one who trusts a block: the last of epoch 0. */
export function fromBlock(receipt: Receipt): { receipt: Receipt; trust: ReceiptTrust } {
  const validators = validatorsOf(SUCCESSORS)
  const { header } = handOverTo(SUCCESSORS)
  const { genesisHash: network, epochBlocks } = TRUST
  return {
    receipt: { ...receipt, startEpoch: asEpoch(1), startBlock: { header, validators }, handOvers: [] },
    trust: {
      kind: 'block',
      genesisHash: network,
      epochBlocks,
      height: header.height,
      blockHash: blockHash(header),
    },
  }
}

/** The same receipt for one who trusts the successors. */
export function fromSet(receipt: Receipt): { receipt: Receipt; trust: ReceiptTrust } {
  const { genesisHash: network, epochBlocks } = TRUST
  return {
    receipt: { ...receipt, startEpoch: asEpoch(1), handOvers: [] },
    trust: {
      kind: 'validator-set',
      genesisHash: network,
      epochBlocks,
      epoch: asEpoch(1),
      validators: validatorsOf(SUCCESSORS),
    },
  }
}

/** One byte of a hash made another. */
export function altered<T extends string>(hash: T): T {
  const bytes = fromHex(hash)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return Buffer.from(bytes).toString('hex') as T
}
