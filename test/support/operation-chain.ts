/** A chain of real keys whose validators propose, certify and vote on operations. Periods are of eight blocks. */
import {
  authoritySigningPayload,
  escalationSigningPayload,
  operationSigningPayload,
} from '../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { SIGNATURE_CONTEXTS } from '../../src/crypto/contexts.ts'
import type { ChainParameters } from '../../src/types/genesis.ts'
import type {
  AuthoritySignature,
  NetworkOperation,
  OperationAction,
  OperationsState,
  OperationVote,
} from '../../src/types/operations.ts'
import { asHeight, type RequestKey } from '../../src/types/primitives.ts'
import type { HashedTransaction, OperationTransaction } from '../../src/types/transaction.ts'
import type { Habits } from './ballots.ts'
import { idOf, keyOf, publicKeyOf, StakingChain } from './staking-chain.ts'

/** Validators whose operators say this, by position; all others approve. */
export const voting = (...votes: readonly (OperationVote | undefined)[]): Habits => {
  return (voter) => ({ vote: () => votes[voter] ?? 'approve' })
}

export class OperationChain extends StakingChain {
  constructor(habits?: Habits, parameters: Partial<ChainParameters> = {}) {
    super({ epochBlocks: 8, evidenceWindowBlocks: 16, unbondingBlocks: 24, ...parameters }, habits)
  }

  get operations(): OperationsState {
    return this.parent.state.voting.operations
  }

  /** How an operation ended; undefined while it has not. */
  endOf(id: RequestKey) {
    return this.operations.decided.find((of) => of.id === id)
  }

  /** Signed by an account; by default its next transaction. */
  action(
    i: number,
    operation: OperationAction,
    change: { readonly signer?: number; readonly sequence?: number; readonly expiresAtHeight?: number } = {},
  ): HashedTransaction<OperationTransaction> {
    const { signer = i } = change
    const content = {
      publicKey: publicKeyOf(i),
      sequence: change.sequence ?? (this.staking.accounts.get(idOf(i))?.sequence ?? 0) + 1,
      expiresAtHeight: asHeight(change.expiresAtHeight ?? this.height + 100),
      operation,
    }
    const payload = operationSigningPayload(this.genesis.rules.genesisHash, content)
    const signature = keyOf(signer).sign(payload, SIGNATURE_CONTEXTS.operation)
    return hashTransaction({ kind: 'operation', ...content, signature })
  }

  /** A critical operation that is due in the block after the one that holds it. */
  propose(
    i: number,
    operation: NetworkOperation,
    opensAt = this.height + 2,
  ): HashedTransaction<OperationTransaction> {
    return this.action(i, { kind: 'propose', operation, opensAt: asHeight(opensAt), authority: [] })
  }

  /** A standard operation with a certificate of these validators. */
  order(
    i: number,
    operation: NetworkOperation,
    signers: readonly number[] = [0, 1],
  ): HashedTransaction<OperationTransaction> {
    const authority = this.certificate(operation, signers)
    return this.action(i, { kind: 'propose', operation, opensAt: asHeight(0), authority })
  }

  certificate(operation: NetworkOperation, signers: readonly number[]): readonly AuthoritySignature[] {
    return this.#signed(
      authoritySigningPayload(this.genesis.rules.genesisHash, operation),
      'authority',
      signers,
    )
  }

  /** An escalation that is due in the block after the one that holds it. */
  escalate(
    i: number,
    id: RequestKey,
    signers: readonly number[] = [0, 1],
  ): HashedTransaction<OperationTransaction> {
    const payload = escalationSigningPayload(this.genesis.rules.genesisHash, id)
    const authority = this.#signed(payload, 'escalation', signers)
    return this.action(i, { kind: 'escalate', id, opensAt: asHeight(this.height + 2), authority })
  }

  /** Blocks with their ballots, up to and including a height. */
  votedUntil(height: number): this {
    while (this.height < height) this.voted()
    return this
  }

  #signed(
    payload: Uint8Array,
    context: 'authority' | 'escalation',
    signers: readonly number[],
  ): readonly AuthoritySignature[] {
    return signers
      .map((i) => ({ account: idOf(i), signature: keyOf(i).sign(payload, SIGNATURE_CONTEXTS[context]) }))
      .sort((a, b) => (a.account < b.account ? -1 : 1))
  }
}
