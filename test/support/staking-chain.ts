/** A chain with short epochs whose accounts have real keys. Every block is built, then checked as a voter would. */
import { accountId } from '../../src/codec/genesis.ts'
import {
  keyChangeSigningPayload,
  signedVotePayload,
  stakingSigningPayload,
  voteSigningPayload,
} from '../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../src/crypto/ml-dsa.ts'
import { selectMlDsa65 } from '../../src/crypto/select.ts'
import { buildBlock, type ProposedFields } from '../../src/ledger/build-block.ts'
import { checkBlock } from '../../src/ledger/check-block.ts'
import type { ExecutedBlock, ParentBlock } from '../../src/ledger/executed-block.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import type { VerifyShielded } from '../../src/ledger/shielded/statement.ts'
import type { BallotCommit } from '../../src/types/ballots.ts'
import { epochOf } from '../../src/types/epochs.ts'
import {
  type Evidence,
  makeCommitPair,
  makeEvidence,
  type SignedContent,
  type SlashableKind,
} from '../../src/types/evidence.ts'
import type { ChainParameters, Genesis, ValidationPolicy } from '../../src/types/genesis.ts'
import type { Vote } from '../../src/types/messages.ts'
import {
  type AccountId,
  asEpoch,
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  type BlockHash,
  type Hex32,
  nextHeight,
  type ValidatorId,
} from '../../src/types/primitives.ts'
import type { ShieldedGenesis } from '../../src/types/shielded.ts'
import type { Account, StakingState } from '../../src/types/staking.ts'
import type { HashedTransaction, StakingOperation, StakingTransaction } from '../../src/types/transaction.ts'
import { GENESIS, PORTS } from '../unit/ledger/fixtures.ts'
import { type Habits, Voters } from './ballots.ts'
import { stateAfter } from './state-after.ts'

const mlDsa = selectMlDsa65()

/** Keys: 0 to 3 are the validators of genesis, 4 to 7 hold balances, later ones nothing. */
export const KEYS: readonly MlDsaKeyPair[] = Array.from({ length: 14 }, (_, i) =>
  mlDsa.keyPairFromSeed(new Uint8Array(32).fill(60 + i)),
)
export const keyOf = (i: number): MlDsaKeyPair => {
  const key = KEYS[i]
  if (key === undefined) throw new Error(`no key ${i}`)
  return key
}
export const publicKeyOf = (i: number): Uint8Array => keyOf(i).publicKey.raw
export const idOf = (i: number): AccountId => accountId(publicKeyOf(i))

export const STAKE = 1_000n
export const BALANCE = 10_000n

/** Epochs of four blocks, one second apart in {@link StakingChain}. */
export function stakingGenesis(
  parameters: Partial<ChainParameters> = {},
  policy: ValidationPolicy = GENESIS.policy,
): Genesis {
  return {
    ...GENESIS,
    policy,
    parameters: {
      ...GENESIS.parameters,
      epochBlocks: 4,
      evidenceWindowBlocks: 6,
      evidenceWindowMs: 6_000,
      unbondingBlocks: 8,
      unbondingMs: 8_000,
      minimumValidatorStake: 100n,
      ...parameters,
    },
    validators: [0, 1, 2, 3].map((i) => ({
      id: idOf(i) as string as ValidatorId,
      publicKey: publicKeyOf(i),
      stake: STAKE,
    })),
    accounts: [0, 1, 2, 3, 4, 5, 6, 7]
      .map((i) => ({ id: idOf(i), balance: BALANCE }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/** Grows one branch block by block. */
export class StakingChain {
  readonly genesis: GenesisState
  readonly blocks: ExecutedBlock[] = []
  parent: ParentBlock
  readonly voters: Voters
  #view = 0

  /**
   * @param habits of the validators where verdicts are concerned: by default they are honest
   * @param shielded of genesis
   */
  constructor(
    parameters: Partial<ChainParameters> = {},
    habits?: Habits,
    policy?: ValidationPolicy,
    shielded: { readonly genesis?: ShieldedGenesis; readonly verify?: VerifyShielded } = {},
  ) {
    const { genesis, verify } = shielded
    this.genesis = genesisState(
      { ...stakingGenesis(parameters, policy), ...(genesis === undefined ? {} : { shielded: genesis }) },
      { ...PORTS, ...(verify === undefined ? {} : { verifyShielded: verify }) },
    )
    const { block, stateRoot, state } = this.genesis
    this.parent = { hash: block.hash, header: block.header, stateRoot, state }
    this.voters = new Voters(this.genesis.rules.genesisHash, habits)
  }

  get height(): number {
    return this.parent.header.height
  }

  get staking(): StakingState {
    return this.parent.state.staking
  }

  account(i: number): Account {
    const account = this.staking.accounts.get(idOf(i))
    if (account === undefined) throw new Error(`key ${i} has no account`)
    return account
  }

  /** Positions of the keys in the set that decides the next block. */
  members(): number[] {
    return this.staking.validators.map(({ id }) => KEYS.findIndex((_, i) => (idOf(i) as string) === id))
  }

  fields(fields: Partial<ProposedFields> = {}): ProposedFields {
    const { header, hash } = this.parent
    this.#view++
    return {
      epoch: epochOf(nextHeight(header.height), this.genesis.rules.parameters.epochBlocks),
      view: asView(this.#view),
      justify: { view: header.view, blockHash: hash },
      timestamp: asUnixMs(header.timestamp + 1_000),
      proposer: asValidatorIndex(0),
      ...fields,
    }
  }

  /** The next block; throws with the refusal when a transaction is not legal, and when the check disagrees. */
  next(transactions: readonly HashedTransaction[] = [], fields: Partial<ProposedFields> = {}): ExecutedBlock {
    const { executed, skipped } = buildBlock(
      this.fields(fields),
      transactions,
      this.parent,
      this.genesis.rules,
    )
    const [first] = skipped
    if (first !== undefined) throw new Error(first.code)
    const checked = checkBlock(executed.block, this.parent, this.genesis.rules)
    if (!checked.ok) throw new Error(`${checked.code}: ${checked.detail}`)
    if (checked.value.stateRoot !== executed.stateRoot) throw new Error('the roots differ')
    const parentState = this.parent.state
    const { block, changes, stateRoot } = checked.value
    this.blocks.push(checked.value)
    this.voters.judged(changes.judgements)
    this.parent = {
      hash: block.hash,
      header: block.header,
      stateRoot,
      state: stateAfter(parentState, changes),
    }
    return checked.value
  }

  /** The next block with the ballots that it can hold. */
  voted(
    transactions: readonly HashedTransaction[] = [],
    fields: Partial<ProposedFields> = {},
  ): ExecutedBlock {
    const ballots = this.voters.next(this.parent)
    return this.next(ballots === null ? transactions : [ballots, ...transactions], fields)
  }

  /** Empty blocks up to and including a height. */
  until(height: number): this {
    while (this.height < height) this.next()
    return this
  }

  /** Code with which a builder leaves the transaction out; null when it is legal. Changes nothing. */
  refusalOf(transaction: HashedTransaction): string | null {
    const { skipped } = buildBlock(this.fields(), [transaction], this.parent, this.genesis.rules)
    this.#view--
    return skipped[0]?.code ?? null
  }

  /** A transaction of an account, signed; by default the next in its sequence. */
  signed(
    i: number,
    operation: StakingOperation,
    change: Partial<Pick<StakingTransaction, 'sequence' | 'expiresAtHeight'>> & { signer?: number } = {},
  ): HashedTransaction<StakingTransaction> {
    const { signer = i, ...fields } = change
    const content = {
      publicKey: publicKeyOf(i),
      sequence: (this.staking.accounts.get(idOf(i))?.sequence ?? 0) + 1,
      expiresAtHeight: asHeight(this.height + 100),
      operation,
      ...fields,
    }
    const payload = stakingSigningPayload(this.genesis.rules.genesisHash, content)
    const signature = keyOf(signer).sign(payload, SIGNATURE_CONTEXTS.staking)
    return hashTransaction({ kind: 'staking', ...content, signature })
  }

  /** A change of the account's validator key, with the proof of the new one. */
  keyChange(i: number, to: number, signer = to, sequence?: number): HashedTransaction<StakingTransaction> {
    const next = sequence ?? this.account(i).sequence + 1
    const claim = keyChangeSigningPayload(this.genesis.rules.genesisHash, {
      account: idOf(i),
      sequence: next,
    })
    const proof = keyOf(signer).sign(claim, SIGNATURE_CONTEXTS['key-change'])
    return this.signed(i, { kind: 'change-key', newPublicKey: publicKeyOf(to), proof }, { sequence: next })
  }

  /** What a validator key signed for a slot. */
  content(
    i: number,
    kind: SlashableKind,
    epoch: number,
    view: number,
    hash: string,
    height = 9,
    commits: Hex32 | null = null,
  ): SignedContent {
    const blockHash = hash.repeat(64) as BlockHash
    const { genesisHash } = this.genesis.rules
    const slot = { epoch: asEpoch(epoch), view: asView(view), blockHash }
    const payload = voteSigningPayload(genesisHash, { kind, ...slot, height: asHeight(height) }, commits)
    const signature = keyOf(i).sign(payload, SIGNATURE_CONTEXTS[kind])
    return { height: asHeight(height), blockHash, signature, commits }
  }

  /** A prepare vote of a key with commits. */
  commitVote(i: number, commits: readonly BallotCommit[], of: Partial<Vote> = {}): Vote {
    const vote = {
      kind: 'prepare' as const,
      epoch: asEpoch(0),
      view: asView(9),
      height: asHeight(9),
      blockHash: 'c'.repeat(64) as BlockHash,
      ballots: { commits, openings: [] },
      ...of,
    }
    const payload = signedVotePayload(this.genesis.rules.genesisHash, vote)
    const signature = keyOf(i).sign(payload, SIGNATURE_CONTEXTS.prepare)
    return { voter: asValidatorIndex(i), signature, ...vote }
  }

  /** Evidence of two commits of a key in one slot, said in two views. */
  commitPair(i: number, height = 1, votes: readonly [Partial<Vote>, Partial<Vote>] = [{}, {}]) {
    const slot = { height: asHeight(height), blockHash: 'd'.repeat(64) as BlockHash, round: 0 }
    const [a, b] = (['0b', '0a'] as const).map((byte, n) =>
      this.commitVote(i, [{ ...slot, commit: byte.repeat(32) as Hex32 }], {
        view: asView(9 + n),
        ...votes[n],
      }),
    ) as [Vote, Vote]
    const pair = makeCommitPair(slot, publicKeyOf(i), a, b)
    if (pair === null) throw new Error('equal commits')
    return hashTransaction({ kind: 'commit-pair', pair })
  }

  /** Evidence against a key: two contents it signed in a slot. */
  offence(i: number, kind: SlashableKind = 'prepare', epoch = 0, view = 7): HashedTransaction {
    const evidence = makeEvidence(
      kind,
      asEpoch(epoch),
      asView(view),
      publicKeyOf(i),
      this.content(i, kind, epoch, view, 'b'),
      this.content(i, kind, epoch, view, 'a'),
    )
    if (evidence === null) throw new Error('equal contents')
    return hashTransaction({ kind: 'evidence', evidence })
  }
}

export const asEvidence = (evidence: Evidence): HashedTransaction =>
  hashTransaction({ kind: 'evidence', evidence })
