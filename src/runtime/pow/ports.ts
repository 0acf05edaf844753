/** What the shell around the proof-of-work engine needs of the other layers. Implementations do not import this file. */
import type { PowTimerName, Settled } from '../../consensus/pow/effect.ts'
import type { ExecutedBlock } from '../../ledger/executed-block.ts'
import type { HashedBlock } from '../../types/block.ts'
import type { SealedBlock, SealHash } from '../../types/pow.ts'

/** Looks for nonces, one block at a time. */
export interface MinerPort {
  /** Gives up what it does and looks for a nonce for this block; `found` is called at most once, never after `stop`. */
  mine(block: HashedBlock, bits: number, found: (nonce: bigint) => void): void
  stop(): void
}

/** To and from the other nodes. */
export interface PowNetworkPort {
  announce(sealed: SealedBlock): void
  /** Asks for one block; what comes goes in by the shell's `received`. */
  fetch(sealHash: SealHash, from: string | null): void
}

/** A settled block with what executing it gave. */
export interface SettledBlock {
  readonly sealed: SealedBlock
  readonly executed: ExecutedBlock
}

/** Mined blocks on disk. */
export interface PowStore {
  /** A block whose place is right: kept until it is settled or forgotten, so that a restart finds it. */
  keep(sealed: SealedBlock): void
  forget(blocks: readonly SealedBlock[]): void
  /** Resolves when durable and the settled state shows it. A failure is fatal. */
  settle(blocks: readonly SettledBlock[], settled: Settled): Promise<void>
}

export interface PowTimers {
  set(timer: PowTimerName, delayMs: number): void
  cancel(timer: PowTimerName): void
}

/** Tells the rest of the node of another order of transactions. Undone ones wait again; none is final. */
export interface PowListener {
  switched(rollback: readonly SealedBlock[], apply: readonly SealedBlock[]): void
}
