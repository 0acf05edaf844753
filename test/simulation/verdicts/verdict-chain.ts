/**
 * A chain of verdicts and nothing else: the ledger's own steps (ledger/verdicts) over blocks that are a hash, ballots
 * and requests by number. No network, no state besides; branches are free to leave any block.
 */
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { ballotSalts } from '../../../src/crypto/ballot-salt.ts'
import { type ChainRules, chainRules } from '../../../src/ledger/chain-rules.ts'
import { genesisStaking } from '../../../src/ledger/staking/genesis-staking.ts'
import { ALL_VALID } from '../../../src/ledger/verdicts/findings.ts'
import { genesisVoting } from '../../../src/ledger/verdicts/genesis-voting.ts'
import type { Decided } from '../../../src/ledger/verdicts/settle.ts'
import { VotingExecution } from '../../../src/ledger/verdicts/voting-execution.ts'
import { periodOf } from '../../../src/ledger/verdicts/windows.ts'
import { BallotBox, type BallotBoxOptions, type BallotPoint } from '../../../src/runtime/ballot-box.ts'
import type { BallotSlot, Findings } from '../../../src/types/ballots.ts'
import { ok, type Result } from '../../../src/types/errors.ts'
import {
  type AccountId,
  asEpoch,
  asHeight,
  asUnixMs,
  type BlockHash,
  type Hex32,
  type Nullifier,
  type RequestKey,
  type ValidatorId,
} from '../../../src/types/primitives.ts'
import type { StakingState } from '../../../src/types/staking.ts'
import type { BallotsTransaction } from '../../../src/types/transaction.ts'
import type { Judgement, RuleFailure } from '../../../src/types/verdict.ts'
import type { OpenRequest, ValidatorTrust } from '../../../src/types/voting.ts'
import { verifyToySignature } from '../toy-signatures.ts'
import { genesisOf } from '../world.ts'

const hex = (prefix: string, n: number): string => prefix + n.toString(16).padStart(63, '0')

/** A request by number; whether the rules find it valid is said of it. */
export interface Asked {
  readonly number: number
  readonly isValid: boolean
}

export interface VerdictBlock extends BallotPoint {
  /** Null for genesis. */
  readonly parent: VerdictBlock | null
  readonly ballots: BallotsTransaction | null
  readonly judgements: readonly Judgement[]
  readonly decided: readonly Decided[]
}

/** What a block may hold. */
export interface BlockContents {
  readonly ballots?: BallotsTransaction | null
  readonly requests?: readonly Asked[]
  /** Accounts that come back on probation. */
  readonly rejoins?: readonly AccountId[]
}

const NO_FAILURES: readonly RuleFailure[] = []
const TOO_LITTLE: readonly RuleFailure[] = [{ subject: 'stake', reason: 'too little' }]
/** What honest validators find about a request that breaks a rule. */
export const FOUND_TOO_LITTLE: Findings = ALL_VALID ^ 0b1100

export class VerdictChain {
  readonly rules: ChainRules
  readonly staking: StakingState
  readonly electorate: Electorate
  readonly genesis: VerdictBlock
  readonly #failures = new Map<RequestKey, readonly RuleFailure[]>()
  #blocks = 0

  /** @param periodBlocks 0 for periods of their own length */
  constructor(stakes: readonly bigint[], periodBlocks = 0) {
    const genesis = genesisOf(stakes, { epochBlocks: periodBlocks })
    this.rules = chainRules(genesis, { verifySignature: verifyToySignature })
    this.staking = genesisStaking(genesis)
    this.electorate = new Electorate({ epoch: asEpoch(0), validators: this.staking.validators })
    this.genesis = {
      hash: this.#hash(),
      height: asHeight(0),
      voting: genesisVoting(this.staking),
      parent: null,
      ballots: null,
      judgements: [],
      decided: [],
    }
  }

  /** The next block on any other; a refusal when its ballots are not legal. */
  next(
    parent: VerdictBlock,
    { ballots = null, requests = [], rejoins = [] }: BlockContents = {},
  ): Result<VerdictBlock, string> {
    const height = asHeight(parent.height + 1)
    const execution = new VotingExecution(
      parent.voting,
      {
        epoch: asEpoch(periodOf(height, this.rules.parameters)),
        height,
        blockTime: asUnixMs(height * 1_000),
        parentHash: parent.hash,
      },
      this.staking,
      this.rules,
    )
    const refusal = ballots === null ? null : execution.addBallots(ballots)
    if (refusal !== null) return refusal
    const decided = execution.settle()
    for (const account of rejoins) if (execution.rejoinRefusal(account) === null) execution.rejoin(account)
    const judgements = requests.map((asked) => this.#ask(execution, asked))
    // No operation here names an overturned verdict: none is asked for.
    const voting = execution.finish(this.staking, () => null)
    return ok({ hash: this.#hash(), height, voting, parent, ballots, judgements, decided })
  }

  /** What every honest node's rules find about a request that some block ordered. */
  readonly judgement = (_: BlockHash, key: RequestKey): readonly RuleFailure[] | null =>
    this.#failures.get(key) ?? null

  /** A validator's box as the node has it, with its own key of salts. */
  box(index: number, conduct?: NonNullable<BallotBoxOptions['self']>['conduct']): BallotBox {
    const { genesisHash, parameters } = this.rules
    const { blockBytesMax } = parameters
    const self = {
      id: this.idOf(index),
      saltOf: this.saltOf(index),
      committed: [],
      ...(conduct === undefined ? {} : { conduct }),
    }
    return new BallotBox({ genesisHash, blockBytesMax, self, judgement: this.judgement }, asEpoch(0))
  }

  saltOf(index: number): (slot: BallotSlot) => Hex32 {
    return ballotSalts(Uint8Array.of(index), this.rules.genesisHash)
  }

  idOf(index: number): ValidatorId {
    const id = this.staking.validators[index]?.id
    if (id === undefined) throw new Error(`no validator ${index}`)
    return id
  }

  accountOf(index: number): AccountId {
    return this.idOf(index) as string as AccountId
  }

  trustOf({ voting }: Pick<BallotPoint, 'voting'>, index: number): ValidatorTrust {
    const trust = voting.trust.get(this.accountOf(index))
    if (trust === undefined) throw new Error(`no trust in validator ${index}`)
    return trust
  }

  #ask(execution: VotingExecution, { number, isValid }: Asked): Judgement {
    const requestKey = hex('4', number) as RequestKey
    const request: OpenRequest = {
      requestKey,
      requestIdHash: hex('5', number) as Hex32,
      kind: 'validate-certificate',
      proofHash: hex('6', number) as Hex32,
      nullifiers: [hex('7', number) as Nullifier],
      sequence: null,
    }
    execution.open(request)
    const failures = isValid ? NO_FAILURES : TOO_LITTLE
    this.#failures.set(requestKey, failures)
    return { requestKey, requestIdHash: request.requestIdHash, failures } as Judgement
  }

  /** No two blocks are alike. */
  #hash(): BlockHash {
    return hex('3', this.#blocks++) as BlockHash
  }
}
