/** What the shell around the core needs of the other layers. Implementations do not import this file. */
import type { TimerName } from '../consensus/effect.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { SignedContent, SlashableKind } from '../types/evidence.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type {
  BlockHash,
  Epoch,
  Height,
  MonotonicMs,
  RequestKey,
  UnixMs,
  ValidatorId,
  View,
} from '../types/primitives.ts'
import type { HashedTransaction } from '../types/transaction.ts'

/** Time. The only place the shell around the core gets it from. */
export interface Clock {
  monotonicMs(): MonotonicMs
  unixMs(): UnixMs
}

/** The replica's named timers. Setting one again replaces it; a replaced or cancelled one never fires. */
export interface TimerPort {
  /** @param delayMs fractions are rounded up */
  set(timer: TimerName, view: View, delayMs: number): void
  cancel(timer: TimerName): void
  /** Runs it when what was handed to the network before has left, unless stopped. */
  soon(run: () => void): void
  stop(): void
}

/** The safety log (S0). A failure of it is fatal and told through the log's own callback. */
export interface SafetyLogPort {
  append(payload: Uint8Array): void
  /** Resolves when everything appended is durable. */
  flush(): Promise<void>
  readonly wantsCompaction: boolean
  compact(snapshot: Uint8Array): Promise<void>
}

/** Push streams to the other validators. */
export interface ConsensusTransport {
  /** `lazy` messages may wait a little for the next one; `first` gets them before the others. */
  broadcast(
    bytes: Uint8Array,
    options: { readonly lazy: boolean; readonly first: ValidatorId | undefined },
  ): void
  send(to: ValidatorId, bytes: Uint8Array): void
}

/** Final blocks on disk. */
export interface FinalStore {
  /** Resolves when durable. Consecutive blocks; each is atomic. A failure is fatal. */
  commitFinalized(blocks: readonly FinalizedBlock[]): Promise<void>
  putCommitCertificate(certificate: QuorumCertificate): Promise<void>
}

/** Transactions that wait for a block. */
export interface TransactionPool {
  select(selection: {
    readonly bytesMax: number
    readonly countMax: number
    readonly exclude: (transaction: HashedTransaction) => boolean
  }): readonly HashedTransaction[]
  remove(transactions: Iterable<{ readonly requestKey: RequestKey }>): void
}

/** Signs a slot once; refuses by InvariantViolation what the safety record forbids. */
export interface SlotSigner {
  sign(
    slot: {
      readonly kind: 'prepare' | 'pre-commit' | 'commit' | 'timeout'
      readonly epoch: number
      readonly position: number
    },
    payload: Uint8Array,
  ): Uint8Array
}

/** Checks one ML-DSA-65 signature of a validator of one set. */
export interface SignatureCheck {
  /** False for a wrong signature and for an index outside the set. */
  isValid(
    validator: number,
    kind: 'prepare' | 'pre-commit' | 'commit' | 'timeout',
    payload: Uint8Array,
    signature: Uint8Array,
  ): boolean
}

/** Has the proofs in blocks verified beside the consensus loop, so that executing a block finds the verdicts there. */
export interface BlockProofsPort {
  /** Null when there is nothing to wait for; else resolves when there is not any more. Never rejects. */
  prepare(block: HashedBlock): Promise<void> | null
}

/** Gets blocks from peers. */
export interface BlockFetcher {
  /** Canonical bytes of the block, or null when nobody answered with them. `from` is asked first. */
  fetchByHash(blockHash: BlockHash, from: ValidatorId | null): Promise<Uint8Array | null>
}

/** Catches up over ranges of final blocks. */
export interface RangeSyncPort {
  request(target: { readonly height: Height; readonly blockHash: BlockHash }): void
  /** What cannot be checked yet, as it is of an epoch to come, says that the chain has gone on without us. */
  suspect(): void
}

/** A validator signed two contents for one slot, and both are here (R12). */
export type EquivocationListener = (equivocation: {
  readonly kind: SlashableKind
  readonly epoch: Epoch
  readonly view: View
  /** The validator's ML-DSA-65 public key. */
  readonly publicKey: Uint8Array
  readonly one: SignedContent
  readonly other: SignedContent
}) => void

/** Tells the rest of the node what became final, after it is durable. */
export type FinalListener = (blocks: readonly FinalizedBlock[]) => void
