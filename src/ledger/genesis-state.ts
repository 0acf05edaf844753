/** Where the chain begins: the block of height 0, the empty state, and the certificate that needs no signatures. */
import { hashBlock, transactionsRoot } from '../codec/block.ts'
import { EMPTY_RECENT_BLOCKS } from '../codec/recent-blocks.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { Genesis } from '../types/genesis.ts'
import type { StateAccumulators, StateChanges } from '../types/ledger-state.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type BlockHash,
  type StateRoot,
} from '../types/primitives.ts'
import { type ChainRules, chainRules, type RulePorts } from './chain-rules.ts'
import { EMPTY_FRONTIER } from './frontier.ts'
import { nullifierRoot } from './nullifier-set.ts'
import { proofCommitment } from './proof-commitment.ts'
import { genesisShielded, NO_NOTES } from './shielded/genesis-shielded.ts'
import { noteRoot } from './shielded/note-tree.ts'
import { genesisStaking } from './staking/genesis-staking.ts'
import { validatorSetRoot } from './staking/staking-root.ts'
import type { StateReader } from './state-reader.ts'
import { stateRoot } from './state-root.ts'
import { genesisVoting } from './verdicts/genesis-voting.ts'

/** Parent of genesis, and what its justify names: there is no such block. */
export const ZERO_BLOCK_HASH = '00'.repeat(32) as BlockHash

/** Nothing spent, nothing judged. */
export const EMPTY_ACCUMULATORS: StateAccumulators = {
  recentBlocks: EMPTY_RECENT_BLOCKS,
  nullifiers: EMPTY_FRONTIER,
  verdicts: EMPTY_FRONTIER,
  shielded: NO_NOTES,
}

/** Looks up in a state in which nothing was spent or judged: every network's before block 1. */
const NOTHING: Omit<StateReader, 'accumulators' | 'staking' | 'voting'> = {
  hasNullifier: () => false,
  verdict: () => null,
  requestKeyOfId: () => null,
  lastSequence: () => 0n,
}

/** Everything a node starts from when its database is empty. */
export interface GenesisState {
  readonly rules: ChainRules
  readonly block: HashedBlock
  /** The same before and after the genesis block, which changes nothing. */
  readonly stateRoot: StateRoot
  readonly changes: StateChanges
  /** The state before block 1. */
  readonly state: StateReader
  /** QC(PREPARE, 0, G): the justify of block 1. */
  readonly justify: QuorumCertificate
  /** The same with kind pre-commit: genesis is final. */
  readonly finality: QuorumCertificate
}

/** Builds block 0 of a network. A pure function of genesis, so every node has the same one. */
export function genesisState(genesis: Genesis, ports: RulePorts): GenesisState {
  const rules = chainRules(genesis, ports)
  const accumulators = { ...EMPTY_ACCUMULATORS, shielded: genesisShielded(genesis) }
  const staking = genesisStaking(genesis)
  const voting = genesisVoting(staking)
  const root = stateRoot(accumulators, staking, voting, rules.fixedRoots)
  const block = hashBlock({
    header: {
      genesisHash: rules.genesisHash,
      epoch: asEpoch(0),
      view: asView(0),
      height: asHeight(0),
      parentHash: ZERO_BLOCK_HASH,
      justify: { view: asView(0), blockHash: ZERO_BLOCK_HASH },
      timestamp: genesis.time,
      proposer: asValidatorIndex(0),
      transactionsRoot: transactionsRoot([]),
      proofCommitment: proofCommitment([]),
      noteCommitmentRoot: noteRoot(accumulators.shielded.notes),
      nullifierRoot: nullifierRoot(EMPTY_FRONTIER),
      parentStateRoot: root,
      validatorSetRoot: validatorSetRoot(staking.validators),
    },
    transactions: [],
  })
  const certificate = {
    epoch: asEpoch(0),
    view: asView(0),
    height: asHeight(0),
    blockHash: block.hash,
    stateRoot: null,
    signatures: [],
  } as const
  return {
    rules,
    block,
    stateRoot: root,
    changes: {
      nullifiers: [],
      shieldedEntries: [],
      verdicts: [],
      judgements: [],
      accumulators,
      staking,
      voting,
    },
    state: { ...NOTHING, accumulators, staking, voting },
    justify: { kind: 'prepare', ...certificate },
    finality: { kind: 'pre-commit', ...certificate },
  }
}
