/** What goes wrong with a wallet, as its user is told it. No message holds a key, a passphrase or a note. */
import { type ErrorAdvice, NodeError } from '../types/errors.ts'

/** Why a wallet did not do what it was asked. */
export type WalletErrorCode =
  /** The text is no address, or one of another network. */
  | 'E_WALLET_ADDRESS'
  /** Nothing, less than nothing, or more than 64 bits. */
  | 'E_WALLET_AMOUNT'
  /** The notes that can be spent now are worth less. */
  | 'E_WALLET_INSUFFICIENT'
  /** The root that the proof is made under is too old for the ledger, or is none of its. */
  | 'E_WALLET_STALE_ANCHOR'
  /** A note of the transaction is spent already. */
  | 'E_WALLET_SPENT'
  /** The ledger refuses it for another reason. */
  | 'E_WALLET_REFUSED'
  /** What was sent is not final in time; it may still become so. */
  | 'E_WALLET_NOT_FINAL'
  /** The chain was not read to its end, so what the wallet knows may be old. */
  | 'E_WALLET_NOT_SCANNED'
  /** What the node says cannot be true, or is of another chain than the wallet has read. */
  | 'E_WALLET_NODE'
  /** The node has read less of the chain than the wallet. */
  | 'E_WALLET_NODE_BEHIND'
  | 'E_WALLET_OTHER_NETWORK'
  | 'E_WALLET_EXISTS'
  | 'E_WALLET_MISSING'
  | 'E_WALLET_PERMISSIONS'
  | 'E_WALLET_PASSPHRASE'
  | 'E_WALLET_DAMAGED'
  | 'E_WALLET_VERSION'
  | 'E_WALLET_IN_USE'
  | 'E_WALLET_IO'
  /** The proof was not made. */
  | 'E_WALLET_PROOF'

/** What a command that fails so exits with: numbers of sysexits.h, as in cli/exit-codes.ts. */
const EXIT_CODES: Readonly<Record<WalletErrorCode, number>> = {
  E_WALLET_ADDRESS: 64,
  E_WALLET_AMOUNT: 64,
  E_WALLET_INSUFFICIENT: 1,
  E_WALLET_STALE_ANCHOR: 1,
  E_WALLET_SPENT: 1,
  E_WALLET_REFUSED: 1,
  E_WALLET_NOT_FINAL: 1,
  E_WALLET_NOT_SCANNED: 1,
  E_WALLET_NODE: 65,
  E_WALLET_NODE_BEHIND: 69,
  E_WALLET_OTHER_NETWORK: 65,
  E_WALLET_EXISTS: 77,
  E_WALLET_MISSING: 77,
  E_WALLET_PERMISSIONS: 77,
  E_WALLET_PASSPHRASE: 77,
  E_WALLET_DAMAGED: 65,
  E_WALLET_VERSION: 65,
  E_WALLET_IN_USE: 73,
  E_WALLET_IO: 73,
  E_WALLET_PROOF: 1,
}

/** A wallet's failure: what happened, why, and what to do. */
export class WalletError extends NodeError {
  declare readonly code: WalletErrorCode

  constructor(code: WalletErrorCode, what: string, options: ErrorAdvice & { cause?: unknown } = {}) {
    super(code, what, { ...options, exitCode: EXIT_CODES[code] })
  }
}
