/** Final blocks as execution hands them to storage: real blocks with real state changes, made up signatures. */
import { randomBytes } from 'node:crypto'
import { SIGNATURE_BYTES } from '../../src/codec/certificates.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import type { ChainRules } from '../../src/ledger/chain-rules.ts'
import type { ParentBlock } from '../../src/ledger/executed-block.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import { stateRoot } from '../../src/ledger/state-root.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import { epochOf } from '../../src/types/epochs.ts'
import type { Genesis } from '../../src/types/genesis.ts'
import type { AnswerFigures, FinalizedBlock, StateRootOf } from '../../src/types/ledger-state.ts'
import { asHeight, asUnixMs, asValidatorIndex, asView } from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { Judgement } from '../../src/types/verdict.ts'
import { EMPTY_STATE, GENESIS, PORTS } from '../unit/ledger/fixtures.ts'
import { Voters } from './ballots.ts'
import { stateAfter } from './state-after.ts'

export const GENESIS_STATE: GenesisState = genesisState(GENESIS, PORTS)

/** What {@link ChainStore.open} wants of the ledger. */
export const stateRootOf: StateRootOf = (accumulators, staking, voting) =>
  stateRoot(accumulators, staking, voting, GENESIS_STATE.rules.fixedRoots)

/** The network of {@link GENESIS}. */
export const NETWORK = { network: GENESIS.network, genesisHash: GENESIS_STATE.rules.genesisHash }

/** Another network. */
export const OTHER_GENESIS: Genesis = { ...GENESIS, network: 'other' }

/** A certificate of three of four validators; the signatures are noise, as incompressible as real ones. */
export function certificate(
  block: HashedBlock,
  kind: QuorumCertificate['kind'] = 'pre-commit',
): QuorumCertificate {
  const { epoch, view, height } = block.header
  return {
    kind,
    epoch,
    view,
    height,
    blockHash: block.hash,
    stateRoot: kind === 'commit' ? GENESIS_STATE.stateRoot : null,
    signatures: [0, 1, 2].map((voter) => ({
      voter: asValidatorIndex(voter),
      signature: new Uint8Array(randomBytes(SIGNATURE_BYTES)),
      commits: null,
    })),
  }
}

/** Figures that are different for every height. */
export function figures(height: number): AnswerFigures {
  return {
    validationTimeUs: BigInt(height),
    consensusLatencyMs: 12n,
    throughputPerSecond: 0.5,
    networkOverheadBytes: 1_000n,
    networkLoad: 0.25,
  }
}

export const GENESIS_PARENT: ParentBlock = {
  hash: GENESIS_STATE.block.hash,
  header: GENESIS_STATE.block.header,
  stateRoot: GENESIS_STATE.stateRoot,
  state: EMPTY_STATE,
}

/**
 * Builds one block after another; knows nothing of storage. `executed`: a verdict comes with its request, for tests
 * that are not about how it comes. `tallied`: as on a network, with the ballots of four honest validators.
 */
export class FinalChain {
  #parent: ParentBlock
  readonly #rules: ChainRules
  readonly #voters = new Voters(GENESIS_STATE.rules.genesisHash)

  constructor(parent: ParentBlock = GENESIS_PARENT, verdicts: ChainRules['verdicts'] = 'executed') {
    this.#parent = parent
    this.#rules = { ...GENESIS_STATE.rules, verdicts }
  }

  /** Requests that a chain of before has ordered and not decided, as the voters found them. */
  judged(judgements: readonly Judgement[]): this {
    this.#voters.judged(judgements)
    return this
  }

  /** The next block with these transactions, final by its own certificate. */
  next(requests: readonly HashedTransaction[] = []): FinalizedBlock {
    const parent = this.#parent
    const ballots = this.#rules.verdicts === 'tallied' ? this.#voters.next(parent) : null
    const transactions = ballots === null ? requests : [ballots, ...requests]
    const height = parent.header.height + 1
    const { executed, skipped } = buildBlock(
      {
        epoch: epochOf(asHeight(height), GENESIS.parameters.epochBlocks),
        view: asView(height),
        justify: { view: parent.header.view, blockHash: parent.hash },
        timestamp: asUnixMs(parent.header.timestamp + 1_000),
        proposer: asValidatorIndex(height % 4),
      },
      transactions,
      parent,
      this.#rules,
    )
    if (skipped.length > 0) throw new Error(`not in the block: ${skipped[0]?.code}`)
    const { block, changes } = executed
    this.#voters.judged(changes.judgements)
    this.#parent = {
      hash: block.hash,
      header: block.header,
      stateRoot: executed.stateRoot,
      state: stateAfter(parent.state, changes),
    }
    return {
      ...executed,
      finality: certificate(block),
      fillers: [],
      answers: changes.verdicts.map(() => figures(height)),
    }
  }

  /** `count` empty blocks. */
  empty(count: number): FinalizedBlock[] {
    return Array.from({ length: count }, () => this.next())
  }

  /** `count` blocks that become final together, by the certificate of the last. */
  together(count: number, transactions: readonly HashedTransaction[] = []): FinalizedBlock[] {
    const blocks = Array.from({ length: count }, (_, i) => this.next(i === 0 ? transactions : []))
    const last = blocks.at(-1)
    return last === undefined ? [] : blocks.map((block) => ({ ...block, finality: last.finality }))
  }
}
