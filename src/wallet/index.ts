/**
 * `hypermesh-node/wallet`: a wallet of shielded money for programs on Node. Experimental, not audited (README.md).
 */

export { type ErrorAdvice, NodeError, ok, type Refusal, type Result, refuse } from '../types/errors.ts'
export {
  type AccountId,
  asHeight,
  type GenesisHash,
  type Height,
  type RequestKey,
} from '../types/primitives.ts'
export type { GenesisNote, ShieldedEntry, ShieldedTransaction } from '../types/shielded.ts'
export {
  ADDRESS_CHARACTERS,
  ADDRESS_PREFIX,
  type Address,
  type AddressRefusal,
  decodeAddress,
  encodeAddress,
} from './address.ts'
export { DEFAULT_KDF_COST, type KdfCost } from './file/sealed-file.ts'
export type { Passphrase } from './file/wallet-storage.ts'
export type { HistoryLine } from './history.ts'
export { MASTER_SEED_BYTES, type WalletKeys, walletKeys } from './keys.ts'
export { type CarryOutOptions, carryOut } from './node/carry-out.ts'
export { NodeApi, type NodeApiOptions, type SentState, type ShieldedSummary } from './node/node-api.ts'
export type { Balance } from './own-notes.ts'
export { type EntryJson, PAGE_ENTRIES_MAX, type PageJson } from './scan/entries-page.ts'
export type { EntrySource, ScanOptions, ScanProgress } from './scan/scan-chain.ts'
export type { MintSource, RandomBytes } from './send/build-transaction.ts'
export type { Order, Prepared } from './send/prepare.ts'
export { type Prover, proveHere } from './send/prover.ts'
export { ThreadProver } from './send/thread-prover.ts'
export type { Cursor, Outgoing, OutgoingKind, OutgoingState, OwnNote } from './state.ts'
export { type NewWallet, type OpenOptions, type PrepareOptions, Wallet } from './wallet.ts'
export { WalletError, type WalletErrorCode } from './wallet-error.ts'
