/** From what the user wants to a transaction that can be sent: reads the address, chooses notes, takes their paths, builds. */
import { toHex } from '../../codec/hex.ts'
import { hashTransaction } from '../../codec/transaction.ts'
import { decodeDigest, digestBytes } from '../../shielded/notes/digest-bytes.ts'
import { VALUE_LIMIT } from '../../shielded/notes/note-hashes.ts'
import { rootOfPath } from '../../shielded/notes/note-tree.ts'
import { assert } from '../../types/assert.ts'
import type { AccountId, GenesisHash, Height } from '../../types/primitives.ts'
import type { ShieldedTransaction } from '../../types/shielded.ts'
import type { HashedTransaction } from '../../types/transaction.ts'
import { type Address, decodeAddress, encodeAddress } from '../address.ts'
import type { Balance } from '../own-notes.ts'
import type { Outgoing, OwnNote } from '../state.ts'
import type { WalletNoteTree } from '../tree/note-tree.ts'
import { WalletError } from '../wallet-error.ts'
import {
  type BuildingTools,
  buildTransaction,
  type MintSource,
  type SpentInput,
  type TransactionContent,
} from './build-transaction.ts'
import { checkAmount, type PaymentPlan, planPayment } from './select-notes.ts'

/** What a user wants done. Amounts are what the other side gets; the fee comes on top. */
export type Order =
  | { readonly kind: 'send'; readonly to: string; readonly amount: bigint; readonly fee: bigint }
  | { readonly kind: 'withdraw'; readonly to: AccountId; readonly amount: bigint; readonly fee: bigint }
  | {
      readonly kind: 'deposit'
      readonly from: AccountId
      readonly amount: bigint
      readonly fee: bigint
      /** Who pays amount and fee. */
      readonly source: Omit<MintSource, 'amount'>
    }

/** A transaction that can be sent. */
export interface Prepared {
  readonly transaction: HashedTransaction<ShieldedTransaction>
  /** What the wallet remembers of it. Of kind `merge` where notes have to be merged before the order can be carried out. */
  readonly outgoing: Outgoing
  /** Transactions that have to follow when this one is final, for the order to be done. */
  readonly remaining: number
}

/** What preparing looks at. */
export interface SendingWallet {
  readonly genesisHash: GenesisHash
  readonly address: Address
  readonly tree: WalletNoteTree
  readonly balance: Balance
  readonly spendable: readonly OwnNote[]
}

/** @throws WalletError `E_WALLET_ADDRESS` with what is wrong with the text */
export function readAddress(text: string, network: GenesisHash): Address {
  const address = decodeAddress(text, network)
  if (address.ok) return address.value
  throw new WalletError('E_WALLET_ADDRESS', 'nobody can be paid under this address', {
    why: address.detail,
    fix:
      address.code === 'address-network'
        ? 'ask for an address on this network, or name a node of the other one'
        : 'copy it anew from whom you want to pay; "hypermesh wallet address" prints it',
  })
}

/** The note with its path, which has to lead to the root: the file of the tree may be damaged. */
function inputOf(
  { value, randomness, position }: OwnNote,
  tree: WalletNoteTree,
  anchor: Uint8Array,
): SpentInput {
  const siblings = tree.path(position)
  const [leaf, ...path] = [tree.leaf(position), ...siblings].map(decodeDigest)
  const isWhole =
    leaf !== null &&
    leaf !== undefined &&
    !path.includes(null) &&
    toHex(digestBytes(rootOfPath(leaf, position, path as number[][]))) === toHex(anchor)
  if (isWhole) return { value, randomness, position, siblings }
  throw new WalletError('E_WALLET_DAMAGED', "the wallet's tree of notes is damaged", {
    why: `the path of the note at ${position} does not lead to its root`,
    fix: 'read the chain anew with "hypermesh wallet scan --again"',
  })
}

type Payment = Pick<Outgoing, 'kind' | 'to' | 'amount'>

interface Draft {
  readonly content: Pick<TransactionContent, 'outputs' | 'mint' | 'burn' | 'fee'>
  readonly spends: readonly OwnNote[]
  readonly payment: Payment
  readonly change: bigint
  readonly from: AccountId | null
  readonly remaining: number
}

const sumOf = (notes: readonly OwnNote[]): bigint => notes.reduce((sum, { value }) => sum + value, 0n)

function depositDraft(wallet: SendingWallet, order: Extract<Order, { kind: 'deposit' }>): Draft {
  const { amount, fee, from, source } = order
  checkAmount(amount, fee)
  const mint: MintSource = {
    amount: amount + fee,
    publicKey: source.publicKey,
    sequence: source.sequence,
    sign: (payload) => source.sign(payload),
  }
  return {
    content: { outputs: [{ to: wallet.address, value: amount }], mint, burn: null, fee },
    spends: [],
    payment: { kind: 'deposit', to: encodeAddress(wallet.address, wallet.genesisHash), amount },
    change: 0n,
    from,
    remaining: 0,
  }
}

function mergeDraft(wallet: SendingWallet, plan: PaymentPlan<OwnNote>, fee: bigint): Draft {
  assert(plan.mergeFirst !== null, 'a plan pays or merges')
  const amount = sumOf(plan.mergeFirst) - fee
  return {
    content: { outputs: [{ to: wallet.address, value: amount }], mint: null, burn: null, fee },
    spends: plan.mergeFirst,
    payment: { kind: 'merge', to: encodeAddress(wallet.address, wallet.genesisHash), amount },
    change: 0n,
    from: null,
    remaining: plan.merges.length,
  }
}

function draftOf(wallet: SendingWallet, order: Order): Draft {
  if (order.kind === 'deposit') return depositDraft(wallet, order)
  const { kind, to, amount, fee } = order
  const paid = kind === 'send' ? [{ to: readAddress(to, wallet.genesisHash), value: amount }] : []
  const plan = planPayment(wallet.spendable, amount, fee, wallet.balance)
  if (plan.pay === null) return mergeDraft(wallet, plan, fee)
  const change = sumOf(plan.pay) - amount - fee
  assert(change >= 0n && change < VALUE_LIMIT, 'change is an amount')
  const back = change === 0n ? [] : [{ to: wallet.address, value: change }]
  const burn = order.kind === 'withdraw' ? { amount, to: order.to } : null
  return {
    content: { outputs: [...paid, ...back], mint: null, burn, fee },
    spends: plan.pay,
    payment: { kind, to: to.trim(), amount },
    change,
    from: null,
    remaining: 0,
  }
}

/**
 * Builds the next transaction that an order takes.
 * @param expiresAtHeight the last height at which it is legal
 * @throws WalletError `E_WALLET_ADDRESS`, `E_WALLET_AMOUNT`, `E_WALLET_INSUFFICIENT`, `E_WALLET_DAMAGED`, `E_WALLET_PROOF`;
 *   what signing a deposit throws
 */
export async function prepareOrder(
  wallet: SendingWallet,
  order: Order,
  expiresAtHeight: Height,
  tools: BuildingTools,
): Promise<Prepared> {
  const draft = draftOf(wallet, order)
  const { genesisHash, tree } = wallet
  const anchor = tree.root()
  const inputs = draft.spends.map((note) => inputOf(note, tree, anchor))
  const transaction = hashTransaction(
    await buildTransaction({ ...draft.content, genesisHash, anchor, inputs, expiresAtHeight }, tools),
  )
  const outgoing: Outgoing = {
    ...draft.payment,
    fee: order.fee,
    change: draft.change,
    from: draft.from,
    key: transaction.requestKey,
    hash: transaction.hash,
    nullifiers: transaction.transaction.nullifiers,
    commitments: transaction.transaction.commitments,
    spends: draft.spends.map(({ position }) => position),
    expiresAtHeight,
    state: 'pending',
    height: null,
  }
  return { transaction, outgoing, remaining: draft.remaining }
}
