/** A chain on which operators register, with real keys and a real space, and on which requests are judged. */
import { type AttestationMaking, attestRequest } from '../../src/cli/operators/make-attestation.ts'
import { openSpaceLeaves } from '../../src/cli/operators/space-file.ts'
import { operatorKeySigningPayload, operatorSigningPayload } from '../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { SIGNATURE_CONTEXTS, type SignatureContext } from '../../src/crypto/contexts.ts'
import { type FalconKeyPair, falconKeyPair } from '../../src/crypto/falcon.ts'
import { leafCount } from '../../src/ledger/attestation/space-tree.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import type { ExecutedBlock } from '../../src/ledger/executed-block.ts'
import { uniformAssurance } from '../../src/ledger/validation-policy.ts'
import type { Anchor } from '../../src/types/attestation.ts'
import type { AssurancePolicy } from '../../src/types/genesis.ts'
import type {
  Operator,
  OperatorOperation,
  OperatorRecord,
  SpaceCommitment,
} from '../../src/types/operator.ts'
import { asHeight } from '../../src/types/primitives.ts'
import type {
  HashedTransaction,
  OperatorTransaction,
  ValidationTransaction,
} from '../../src/types/transaction.ts'
import type { RuleFailure } from '../../src/types/verdict.ts'
import { POLICY } from '../unit/ledger/fixtures.ts'
import { idOf, keyOf, publicKeyOf, StakingChain } from './staking-chain.ts'

let falcon: FalconKeyPair | undefined
/** One Falcon key for all tests of a file: it takes a second to expand. */
export function falconKey(): FalconKeyPair {
  falcon ??= falconKeyPair(new Uint8Array(48).fill(9))
  return falcon
}

/** What an operator's key can do. */
export interface OperatorKey {
  readonly scheme: OperatorRecord['keyScheme']
  readonly publicKey: Uint8Array
  sign(message: Uint8Array, context: SignatureContext): Uint8Array
}

export function mlDsaOperatorKey(i: number): OperatorKey {
  const pair = keyOf(i)
  return {
    scheme: 'ml-dsa-65',
    publicKey: pair.publicKey.raw,
    sign: (message, context) => pair.sign(message, SIGNATURE_CONTEXTS[context]),
  }
}

export function falconOperatorKey(): OperatorKey {
  const pair = falconKey()
  return {
    scheme: 'falcon-1024',
    publicKey: pair.publicKey,
    sign: (message, context) => pair.sign(message, SIGNATURE_CONTEXTS[context]),
  }
}

export function operatorRecord(key: OperatorKey, fields: Partial<OperatorRecord> = {}): OperatorRecord {
  return {
    operatorId: 'alpha',
    keyScheme: key.scheme,
    publicKey: key.publicKey,
    bondedStake: 2_000n,
    space: null,
    authorityLevel: 100n,
    aliases: [],
    ...fields,
  }
}

export class OperatorChain extends StakingChain {
  constructor(assurance: Partial<AssurancePolicy> = {}, parameters = {}) {
    super(parameters, undefined, { ...POLICY, assurance: { ...uniformAssurance('declared'), ...assurance } })
  }

  operator(i: number): Operator {
    const operator = this.staking.operators.get(idOf(i))
    if (operator === undefined) throw new Error(`account ${i} has no operator`)
    return operator
  }

  get anchor(): Anchor {
    return { height: this.parent.header.height, hash: this.parent.hash }
  }

  /** A signed operation of an account. @param signer of the transaction, when it is not the account's own key */
  operation(
    i: number,
    operation: OperatorOperation,
    { signer = i, sequence }: { signer?: number; sequence?: number } = {},
  ): HashedTransaction<OperatorTransaction> {
    const content = {
      publicKey: publicKeyOf(i),
      sequence: sequence ?? this.account(i).sequence + 1,
      expiresAtHeight: asHeight(this.height + 100),
      operation,
    }
    const payload = operatorSigningPayload(this.genesis.rules.genesisHash, content)
    const signature = keyOf(signer).sign(payload, SIGNATURE_CONTEXTS.operator)
    return hashTransaction({ kind: 'operator', ...content, signature })
  }

  /** Registers or updates an operator, with its key's proof. */
  claim(
    i: number,
    kind: 'register' | 'update',
    key: OperatorKey,
    fields: Partial<OperatorRecord> = {},
  ): HashedTransaction<OperatorTransaction> {
    const record = operatorRecord(key, fields)
    const { genesisHash } = this.genesis.rules
    const sequence = this.account(i).sequence + 1
    const claim = operatorKeySigningPayload(genesisHash, { account: idOf(i), sequence, record })
    return this.operation(i, { kind, record, possession: key.sign(claim, 'operator-key') })
  }

  /** What the next block would find about a request. Changes nothing. */
  failuresOf(hashed: HashedTransaction<ValidationTransaction>): readonly RuleFailure[] {
    const { executed, skipped } = buildBlock(this.fields(), [hashed], this.parent, this.genesis.rules)
    const [judgement] = executed.changes.judgements
    if (judgement === undefined) throw new Error(`not judged: ${skipped[0]?.code}`)
    return judgement.failures
  }

  /** Orders requests, and then blocks with ballots until each has its verdict. */
  decided(...requests: readonly HashedTransaction<ValidationTransaction>[]): ExecutedBlock[] {
    const blocks = [this.voted(requests)]
    const verdicts = () => blocks.flatMap(({ changes }) => changes.verdicts)
    while (verdicts().length < requests.length) {
      if (blocks.length > 10) throw new Error('no verdict in ten blocks')
      blocks.push(this.voted())
    }
    return blocks
  }

  /** Attests a request as an operator would. */
  attest<T extends ValidationTransaction>(
    transaction: T,
    operatorId: string,
    key: OperatorKey,
    space: { readonly folder: string; readonly commitment: SpaceCommitment },
    fields: Partial<AttestationMaking> = {},
  ): Promise<T> {
    const { genesisHash, policy } = this.genesis.rules
    return attestRequest(transaction, {
      genesisHash,
      anchor: this.anchor,
      operatorId,
      sequence: 1n,
      minimumWorkBits: policy.assurance?.minimumWorkBits ?? 0,
      leaves: leafCount(space.commitment),
      openLeaves: (indices) => openSpaceLeaves(space.folder, space.commitment, indices),
      sign: (statement) => key.sign(statement, 'stake-attestation'),
      ...fields,
    })
  }
}
