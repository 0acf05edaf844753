/**
 * Carries out an order through a node: reads the chain, makes the next transaction, sends it, waits until it is final; and
 * again, as long as notes have to be merged. Whatever ends it, the wallet knows what is on its way.
 */
import { type Clock, systemClock } from '../../client/clock.ts'
import { asHeight } from '../../types/primitives.ts'
import type { ScanProgress } from '../scan/scan-chain.ts'
import type { Order, Prepared } from '../send/prepare.ts'
import type { Prover } from '../send/prover.ts'
import type { Outgoing } from '../state.ts'
import type { Wallet } from '../wallet.ts'
import { WalletError } from '../wallet-error.ts'
import type { NodeApi, SentState } from './node-api.ts'

/** How far above the final height a transaction may still be taken: minutes, in which its notes are held. */
const EXPIRES_AFTER_BLOCKS = 600
const FINAL_DEADLINE_MS = 60_000
const POLL_MS = 250
/** A node may lose what waits in it: the same bytes are sent again, which is the same as once. */
const RESEND_EVERY = 20
/** Proofs of one transaction, where roots go by faster than proofs are made. */
const ATTEMPTS_MAX = 3

/** What may be watched and changed. */
export interface CarryOutOptions {
  readonly prove?: Prover
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** A scan goes on. */
  readonly onScan?: (progress: ScanProgress) => void
  /** A transaction is about to be made. */
  readonly onProving?: () => void
  /** A transaction was sent. */
  readonly onSent?: (prepared: Prepared) => void
  /** It is final. */
  readonly onFinal?: (prepared: Prepared) => void
}

/**
 * Sends, again when its root has become too old meanwhile. A node that says so may keep the first one and pass it on later:
 * so a payment that is made anew spends the same notes.
 */
async function sendNext(
  wallet: Wallet,
  node: NodeApi,
  order: Order,
  options: CarryOutOptions,
  signal: AbortSignal,
): Promise<Prepared> {
  let before: Outgoing | null = null
  for (let attempt = 1; ; attempt++) {
    await wallet.scan(node, {
      signal,
      ...(options.onScan === undefined ? {} : { onProgress: options.onScan }),
    })
    const expiresAtHeight = asHeight(wallet.cursor.height + EXPIRES_AFTER_BLOCKS)
    options.onProving?.()
    const prepared: Prepared = await wallet.prepare(order, {
      expiresAtHeight,
      ...(before === null ? {} : { spends: before.spends }),
      ...(options.prove === undefined ? {} : { prove: options.prove }),
    })
    try {
      await node.submit(prepared.transaction, signal)
      return prepared
    } catch (error) {
      const refused = error instanceof WalletError
      if (refused) await wallet.markRefused(prepared.outgoing.key)
      const isStale = refused && error.code === 'E_WALLET_STALE_ANCHOR'
      if (!isStale || attempt === ATTEMPTS_MAX) throw error
      // A merge pays nobody else.
      before = prepared.outgoing.kind === 'merge' ? null : prepared.outgoing
    }
  }
}

/** What was taken once and is refused now may be final: then the chain says so, and not this answer. */
async function askAgain(
  node: NodeApi,
  { transaction }: Prepared,
  isLost: boolean,
  signal: AbortSignal,
): Promise<SentState['state']> {
  if (!isLost) return (await node.state(transaction.requestKey, signal)).state
  try {
    return (await node.submit(transaction, signal)).state
  } catch (error) {
    if (error instanceof WalletError) return 'pending'
    throw error
  }
}

function notFinal({ outgoing }: Prepared): WalletError {
  const what = `transaction ${outgoing.hash} is not final after ${FINAL_DEADLINE_MS / 1_000} s`
  return new WalletError('E_WALLET_NOT_FINAL', what, {
    why: 'the chain is slow or stands still',
    fix: `it may still become final, up to height ${outgoing.expiresAtHeight}: "hypermesh wallet scan" tells`,
  })
}

/** Until the node says so. */
async function untilFinal(node: NodeApi, prepared: Prepared, patience: Patience): Promise<void> {
  let state: SentState['state'] = 'pending'
  for (let asked = 1; state !== 'final'; asked++) {
    await patience.wait(prepared)
    const isLost = state === 'unknown' || asked % RESEND_EVERY === 0
    state = await askAgain(node, prepared, isLost, patience.signal)
  }
}

/** Until the wallet has read it: another node than the one that said so may give the pages, and be behind. */
async function untilRead(
  wallet: Wallet,
  node: NodeApi,
  prepared: Prepared,
  patience: Patience,
): Promise<Outgoing> {
  for (;;) {
    try {
      await wallet.scan(node, { signal: patience.signal })
      const made = wallet.outgoing(prepared.transaction.requestKey)
      if (made?.state === 'final') return made
    } catch (error) {
      if (!(error instanceof WalletError) || error.code !== 'E_WALLET_NODE_BEHIND') throw error
    }
    await patience.wait(prepared)
  }
}

/** How long one transaction is waited for. */
class Patience {
  readonly signal: AbortSignal
  readonly #clock: Clock
  readonly #endMs: number

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.signal = signal
    this.#endMs = clock.nowMs() + FINAL_DEADLINE_MS
  }

  /** A moment. @throws WalletError `E_WALLET_NOT_FINAL` when there have been enough */
  wait(prepared: Prepared): Promise<void> {
    if (this.#clock.nowMs() > this.#endMs) throw notFinal(prepared)
    return this.#clock.wait(POLL_MS, this.signal)
  }
}

/**
 * Carries out an order.
 * @returns its transactions, all of them final: merges, and the order itself last
 * @throws WalletError as {@link Wallet.scan} and {@link Wallet.prepare}; `E_WALLET_STALE_ANCHOR`, `E_WALLET_SPENT`,
 *   `E_WALLET_REFUSED` when a node refuses it, `E_WALLET_NOT_FINAL` when it takes longer than a minute: it may still become
 *   final; ClientError when no node answers; the signal's reason
 */
export async function carryOut(
  wallet: Wallet,
  node: NodeApi,
  order: Order,
  options: CarryOutOptions = {},
): Promise<readonly Outgoing[]> {
  const { clock = systemClock, signal = new AbortController().signal } = options
  const done: Outgoing[] = []
  for (;;) {
    const prepared = await sendNext(wallet, node, order, options, signal)
    options.onSent?.(prepared)
    const patience = new Patience(clock, signal)
    await untilFinal(node, prepared, patience)
    done.push(await untilRead(wallet, node, prepared, patience))
    options.onFinal?.(prepared)
    if (prepared.outgoing.kind !== 'merge') return done
  }
}
