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

/** Exit codes of the program's table (cli/exit-codes.ts) that a wallet's failures end with. */
const EXIT = {
  failure: 1,
  usage: 64,
  data: 65,
  network: 69,
  dataDirectory: 73,
  key: 77,
} as const

const EXIT_CODES: Readonly<Record<WalletErrorCode, number>> = {
  E_WALLET_ADDRESS: EXIT.usage,
  E_WALLET_AMOUNT: EXIT.usage,
  E_WALLET_INSUFFICIENT: EXIT.failure,
  E_WALLET_STALE_ANCHOR: EXIT.failure,
  E_WALLET_SPENT: EXIT.failure,
  E_WALLET_REFUSED: EXIT.failure,
  E_WALLET_NOT_FINAL: EXIT.failure,
  E_WALLET_NOT_SCANNED: EXIT.failure,
  E_WALLET_NODE: EXIT.data,
  E_WALLET_NODE_BEHIND: EXIT.network,
  E_WALLET_OTHER_NETWORK: EXIT.data,
  E_WALLET_EXISTS: EXIT.key,
  E_WALLET_MISSING: EXIT.key,
  E_WALLET_PERMISSIONS: EXIT.key,
  E_WALLET_PASSPHRASE: EXIT.key,
  E_WALLET_DAMAGED: EXIT.data,
  E_WALLET_VERSION: EXIT.data,
  E_WALLET_IN_USE: EXIT.dataDirectory,
  E_WALLET_IO: EXIT.dataDirectory,
  E_WALLET_PROOF: EXIT.failure,
}

/** A wallet's failure: what happened, why, and what to do. */
export class WalletError extends NodeError {
  declare readonly code: WalletErrorCode

  constructor(code: WalletErrorCode, what: string, options: ErrorAdvice & { cause?: unknown } = {}) {
    super(code, what, { ...options, exitCode: EXIT_CODES[code] })
  }
}
