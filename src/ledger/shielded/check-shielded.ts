/**
 * Whether a shielded transaction is legal on a state, and what it changes. Cheap rules first, then the signature, the
 * proof last: a leader that packs wrong ones makes nobody work for long.
 */
import { accountId } from '../../codec/genesis.ts'
import { ciphertextsHash, mintSigningPayload, shieldedBinding } from '../../codec/shielded.ts'
import { decodeStatement } from '../../shielded/join-split/public-inputs.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { AccountId, Height } from '../../types/primitives.ts'
import type { Mint, ShieldedState, ShieldedTransaction } from '../../types/shielded.ts'
import type { Account } from '../../types/staking.ts'
import type { ChainRules } from '../chain-rules.ts'
import { payeeOf, shortOf } from '../staking/apply-operation.ts'
import { checkSequence } from '../staking/check-staking.ts'
import type { StateReader } from '../state-reader.ts'
import type { ShieldedRefusal } from './shielded-refusals.ts'
import { statementOf } from './statement.ts'

/** What a shielded transaction is judged on. */
export interface ShieldedPlace extends Pick<StateReader, 'hasNullifier'> {
  /** Anchors are those before the block; the pool is what is left now. */
  readonly shielded: Pick<ShieldedState, 'anchors' | 'pool'>
  readonly accounts: ReadonlyMap<AccountId, Account>
  /** Of the block that would hold it. */
  readonly height: Height
}

/** What a legal one changes beside notes and nullifiers. */
export interface ShieldedEffect {
  /** As they are after it. */
  readonly accounts: readonly Account[]
  /** Worth of all notes after it. */
  readonly pool: bigint
}

/** The minimum fee where genesis names none: two notes that cost nothing could be made without end. */
const MINIMUM_FEE_DEFAULT = 1n

/** The least that a shielded transaction pays. @param shielded what genesis says of notes, if it says anything */
export function minimumFeeOf(shielded: ChainRules['shielded']): bigint {
  return shielded?.minimumFee ?? MINIMUM_FEE_DEFAULT
}

type Rules = Pick<ChainRules, 'genesisHash' | 'shielded' | 'verifySignature' | 'verifyShielded'>

/** Judges a transaction at its place. */
export function checkShielded(
  transaction: ShieldedTransaction,
  place: ShieldedPlace,
  rules: Rules,
): Result<ShieldedEffect, ShieldedRefusal> {
  const wrong = checkContent(transaction, rules) ?? checkPlace(transaction, place)
  if (wrong !== null) return wrong
  const effect = effectOf(transaction, place)
  if (!effect.ok) return effect
  const { mint } = transaction
  if (mint !== null) {
    const payload = mintSigningPayload(transaction)
    if (!rules.verifySignature(mint.publicKey, payload, mint.signature, 'mint')) {
      return refuse('shielded-signature', 'the signature of the mint is not valid under the key in it')
    }
  }
  return rules.verifyShielded(transaction)
    ? effect
    : refuse('shielded-proof', 'the proof does not prove what the transaction says')
}

/** What does not depend on any state. */
function checkContent(
  transaction: ShieldedTransaction,
  { genesisHash, shielded }: Pick<Rules, 'genesisHash' | 'shielded'>,
): Refusal<ShieldedRefusal> | null {
  if (transaction.genesisHash !== genesisHash) {
    return refuse(
      'shielded-chain',
      `it is for the network ${transaction.genesisHash}, this is ${genesisHash}`,
    )
  }
  if (transaction.mint?.amount === 0n || transaction.burn?.amount === 0n) {
    return refuse('shielded-amount', 'what is minted or burnt is above 0')
  }
  const fee = minimumFeeOf(shielded)
  if (transaction.fee < fee) {
    return refuse('shielded-fee', `the fee of ${transaction.fee} is below the minimum of ${fee}`)
  }
  const hash = ciphertextsHash(transaction.ciphertexts)
  if (transaction.ciphertextsHash !== hash) {
    return refuse(
      'shielded-ciphertexts',
      `the ciphertexts have hash ${hash}, not ${transaction.ciphertextsHash}`,
    )
  }
  const binding = shieldedBinding(transaction)
  if (transaction.binding !== binding) {
    return refuse('shielded-binding', `the binding is ${transaction.binding}, it must be ${binding}`)
  }
  const statement = decodeStatement(statementOf(transaction))
  if (!('ok' in statement)) return null
  return statement.code === 'nullifier-repeated'
    ? refuse('nullifier-repeated-in-transaction', `nullifier ${transaction.nullifiers[0]} is in it twice`)
    : refuse('shielded-malformed', `${statement.code}: ${statement.detail}`)
}

/** What a block's place in the chain alone rules out. Cheap: neither accounts nor signature nor proof are looked at. */
export function checkPlace(
  { expiresAtHeight, anchor, nullifiers }: ShieldedTransaction,
  { height, shielded, hasNullifier }: Omit<ShieldedPlace, 'accounts'>,
): Refusal<ShieldedRefusal> | null {
  if (height > expiresAtHeight) {
    return refuse('shielded-expired', `it was legal up to height ${expiresAtHeight}, the block has ${height}`)
  }
  const spent = nullifiers.find((nullifier) => hasNullifier(nullifier))
  if (spent !== undefined) return refuse('nullifier-spent', `nullifier ${spent} was spent before`)
  return shielded.anchors.includes(anchor)
    ? null
    : refuse(
        'shielded-anchor',
        `${anchor} is none of the last ${shielded.anchors.length} roots of the note tree`,
      )
}

/** Who pays and who is paid; the notes balance by the proof. */
function effectOf(
  { fee, mint, burn }: ShieldedTransaction,
  { accounts, shielded }: ShieldedPlace,
): Result<ShieldedEffect, ShieldedRefusal> {
  const changed = new Map<AccountId, Account>()
  if (mint !== null) {
    const payer = payerOf(mint, accounts)
    if (!payer.ok) return payer
    changed.set(payer.value.id, payer.value)
  }
  if (burn !== null) {
    const payee = payeeOf(burn.to, burn.amount, accounts)
    if (!payee.ok) return payee
    const before = changed.get(burn.to) ?? payee.value
    changed.set(burn.to, { ...before, balance: before.balance + burn.amount })
  }
  // No proof that is right comes here: should one be that is not, it takes no more than there is.
  const pool = shielded.pool + (mint?.amount ?? 0n) - (burn?.amount ?? 0n) - fee
  if (pool < 0n) return refuse('shielded-pool', `all notes together are worth ${shielded.pool}`)
  return ok({ accounts: [...changed.values()], pool })
}

function payerOf(
  { amount, publicKey, sequence }: Mint,
  accounts: ReadonlyMap<AccountId, Account>,
): Result<Account, ShieldedRefusal> {
  const turn = checkSequence(sequence, accounts.get(accountId(publicKey)))
  if (!turn.ok) return turn
  const account = turn.value
  return shortOf(amount, account) ?? ok({ ...account, balance: account.balance - amount, sequence })
}
