/**
 * A node's public API as a wallet uses it: pages of the chain, sending, asking what became of what was sent. Believes no
 * node of another network. What it asks for is the same for every wallet, but for what it sends.
 */
import { ClientError } from '../../client/client-error.ts'
import { timeOption } from '../../client/option-checks.ts'
import { PublicApi, type PublicApiOptions } from '../../client/public-api.ts'
import { oneOf, option, type Shape, struct, text } from '../../rpc/json-shape.ts'
import type { GenesisHash, RequestKey } from '../../types/primitives.ts'
import type { ShieldedTransaction } from '../../types/shielded.ts'
import type { HashedTransaction } from '../../types/transaction.ts'
import { type PageJson, pageShape, whole } from '../scan/entries-page.ts'
import type { EntrySource } from '../scan/scan-chain.ts'
import { WalletError } from '../wallet-error.ts'

/** The shielded half of the final state, as `GET /v1/shielded` has it. */
export interface ShieldedSummary {
  readonly height: number
  readonly notes: number
  readonly entries: number
  readonly root: string
  /** Worth of all notes, in digits. */
  readonly pool: string
  /** Block rewards, ever, in digits. */
  readonly issued: string
  readonly genesisNotes: number
}

/** Where a transaction is. `unknown`: the node has not seen it, or has lost or dropped it. */
export interface SentState {
  readonly key: string
  readonly state: 'pending' | 'final' | 'unknown'
  readonly height: number | null
}

const digits = text(40)
const hex = text(64)

const summaryShape = struct<ShieldedSummary>(
  {
    height: whole,
    notes: whole,
    entries: whole,
    root: hex,
    pool: digits,
    issued: digits,
    genesisNotes: whole,
  },
  { names: { genesisNotes: 'genesisNotes' } },
)
const sentShape = struct<SentState>({
  key: hex,
  state: oneOf(['pending', 'final', 'unknown']),
  height: option(whole),
})

/** One route may take so long, over all attempts, unless the caller says otherwise. */
const CALL_DEADLINE_MS = 20_000

/** Which nodes are asked, and for how long. */
export interface NodeApiOptions extends PublicApiOptions {
  /** Of one question, over all attempts and nodes. Default 20 s. */
  readonly callDeadlineMs?: number
}

/**
 * The ledger's refusal in the wallet's words.
 * @param detail as the API tells it: the code of the rule, a colon, what is wrong
 */
export function refusalError(detail: string): WalletError {
  if (detail.startsWith('shielded-anchor')) {
    return new WalletError(
      'E_WALLET_STALE_ANCHOR',
      'the root that the proof was made under is not one of the last',
      {
        why: detail,
        fix: 'try again: the chain is read first, and the proof is made under a root of now',
      },
    )
  }
  if (detail.startsWith('nullifier-')) {
    return new WalletError('E_WALLET_SPENT', 'a note of the transaction is spent already, or about to be', {
      why: detail,
      fix: 'scan and try again; the same seed may be in use elsewhere',
    })
  }
  // Never on the node's word alone: it would name what others pay.
  const isFee = detail.startsWith('shielded-fee')
  return new WalletError('E_WALLET_REFUSED', 'the node refuses the transaction', {
    why: detail,
    fix: isFee
      ? 'name a fee of at least that, if it is what the genesis of your network says: --fee'
      : 'the code before the colon says which rule; they are listed in docs/reference/errors.md',
  })
}

export class NodeApi implements EntrySource {
  readonly #api: PublicApi
  readonly #network: GenesisHash
  readonly #callDeadlineMs: number

  /**
   * @param network genesis hash of the wallet's network: a node of another one is passed over
   * @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT`, `E_OPTION`
   */
  constructor(options: NodeApiOptions, network: GenesisHash) {
    this.#api = new PublicApi(options)
    this.#callDeadlineMs = timeOption('callDeadlineMs', options.callDeadlineMs, CALL_DEADLINE_MS)
    this.#network = network
  }

  async #call<T>(route: string, shape: Shape<T>, signal: AbortSignal, body?: string): Promise<T> {
    const endMs = this.#api.clock.nowMs() + this.#callDeadlineMs
    const call = { route, endMs, signal, network: this.#network, ...(body === undefined ? {} : { body }) }
    const reply = await this.#api.call(call, shape)
    if (reply.kind === 'done') return reply.value
    throw new ClientError('E_ANSWER', `no node answers ${route}`, {
      why: reply.why,
      fix: 'check that it is the public API of a node of this version, on a network with shielded money',
    })
  }

  /** @throws ClientError `E_NO_ANSWER`, `E_OTHER_NETWORK`, `E_ANSWER`, `E_REFUSED`; the signal's reason */
  page(from: number, limit: number, signal: AbortSignal): Promise<PageJson> {
    return this.#call(`/v1/shielded/entries?from=${from}&limit=${limit}`, pageShape, signal)
  }

  /** @throws as {@link page} */
  summary(signal: AbortSignal): Promise<ShieldedSummary> {
    return this.#call('/v1/shielded', summaryShape, signal)
  }

  /** @throws as {@link page} */
  state(key: RequestKey, signal: AbortSignal): Promise<SentState> {
    return this.#call(`/v1/transactions/${key}`, sentShape, signal)
  }

  /**
   * Sends a transaction; twice is the same as once.
   * @throws WalletError `E_WALLET_STALE_ANCHOR`, `E_WALLET_SPENT`, `E_WALLET_REFUSED` when it is refused; else as {@link page}
   */
  async submit({ bytes }: HashedTransaction<ShieldedTransaction>, signal: AbortSignal): Promise<SentState> {
    const body = JSON.stringify({ transaction: Buffer.from(bytes).toString('base64') })
    try {
      return await this.#call('/v1/transactions', sentShape, signal, body)
    } catch (error) {
      if (error instanceof ClientError && error.code === 'E_REFUSED')
        throw refusalError(error.advice.why ?? '')
      throw error
    }
  }
}
