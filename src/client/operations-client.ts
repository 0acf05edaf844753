/**
 * Operations from a program (spec/commit-reveal.md 6.4): propose one, wait for its decision, read trust. How one is
 * decided is in ledger/operations; openings and commits are the validators' own affair and have no call here. Holds no
 * key, and believes the node that answers: a receipt (hypermesh-client.ts) is the proof of a decision.
 */
import { isHex } from '../codec/hex.ts'
import type { Shape } from '../rpc/json-shape.ts'
import type { AuthoritySignature, NetworkOperation } from '../types/operations.ts'
import { asHeight, type GenesisHash } from '../types/primitives.ts'
import { AccountTurns } from './account-turns.ts'
import { ClientError } from './client-error.ts'
import type { OperationSigner } from './operation-bytes.ts'
import {
  accountAnswer,
  operationAnswer,
  statusAnswer,
  type TrustAdjustment,
  transactionAnswer,
  trustAnswer,
} from './operation-shapes.ts'
import { networkOption, timeOption, wholeOption } from './option-checks.ts'
import { type ApiCall, type ApiReply, PublicApi, type PublicApiOptions } from './public-api.ts'

/** 64 lower-case hex digits: the request key of the transaction that proposed it. */
export type OperationId = string

/** How long one call may take, and what ends it before. */
export interface OperationCall {
  readonly deadlineMs?: number
  /** Ends the call with its reason. What was sent may be done all the same. */
  readonly signal?: AbortSignal
  /** Genesis hash of the network that is meant, 64 hex digits: a node of another one is passed over. */
  readonly network?: string
}

/** Who proposes, where, and when it is voted on. */
export interface ProposalOptions extends OperationCall {
  readonly signer: OperationSigner
  /** It is signed with, so a node's word for it is not taken. */
  readonly network: string
  /**
   * Of a critical operation: blocks above the final height after which it is voted on, 2 to 100,000. Default 100.
   */
  readonly opensAfterBlocks?: number
  /** The certificate of a standard operation, as `hypermesh operation certify` makes its parts; in order of account. */
  readonly authority?: readonly AuthoritySignature[]
}

/** How an operation was decided. */
export interface ConsensusResult {
  readonly id: OperationId
  /** `Timeout`: no quorum in three attempts. `Rejected` also: approved, but not possible any more at the end of the period. */
  readonly outcome: 'Approved' | 'Rejected' | 'Timeout'
  /** By commit–reveal, or by a certificate. */
  readonly route: 'full-bft' | 'authority'
  /** Of the block that decided it, or in which it had its effect. */
  readonly height: number
  /** Accounts of the validators whose openings are in the chain; empty when there was no vote. */
  readonly participatingNodes: readonly string[]
  /** Trust that its batch cost, as far as it is accounted for. */
  readonly trustAdjustments: readonly TrustAdjustment[]
}

const PROPOSAL_DEADLINE_MS = 60_000
/** Of a wait for a decision: a hundred blocks to the vote and a period of six hundred, at two seconds each, and more. */
const DECISION_DEADLINE_MS = 3_600_000
const TRUST_DEADLINE_MS = 30_000
const POLL_MS = 500
const OPENS_AFTER_DEFAULT = 100
const OPENS_AFTER_MIN = 2
const OPENS_AFTER_MAX = 100_000
/** How far above the final height a transaction may still be taken. */
const EXPIRES_AFTER_BLOCKS = 200
/** A node may lose what waits in it: the same bytes are sent again, which is the same as once. */
const RESEND_EVERY = 20
const PPM = 1_000_000
const EXIT_USAGE = 64
const EXIT_DATA = 65

type Frame = Pick<ApiCall, 'endMs' | 'signal' | 'network'>

export class OperationsClient {
  readonly #api: PublicApi
  readonly #turns: AccountTurns

  /** @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT`, `E_OPTION` */
  constructor(options: PublicApiOptions) {
    this.#api = new PublicApi(options)
    this.#turns = new AccountTurns(this.#api.clock)
  }

  /**
   * Proposes an operation as the next transaction of the signer's account, and waits until it is final. Each takes the
   * account's next sequence, so this client does calls for one account one after the other; 64 at most, and waiting for
   * its turn counts for a call's deadline. Of two clients with one account the slower is refused.
   * @returns the id under which its decision is asked for
   * @throws ClientError `E_OPERATION`, `E_OPTION`, `E_SIGNER` for what cannot be signed; `E_REFUSED` when a rule of the
   *   ledger forbids it, `E_OTHER_NETWORK` and `E_ANSWER` when no address is of a node of the network, `E_NO_ACCOUNT`,
   *   `E_NOT_FINAL` when time is up (it may still come), `E_NO_ANSWER`, `E_BUSY` when its turn did not come; the signal's
   *   reason; what `sign` throws
   */
  async proposeOperation(operation: NetworkOperation, options: ProposalOptions): Promise<OperationId> {
    const { signer, opensAfterBlocks = OPENS_AFTER_DEFAULT, authority = [], ...call } = options ?? {}
    const network = networkOption(call.network)
    const opensAfter = wholeOption('opensAfterBlocks', opensAfterBlocks, OPENS_AFTER_MIN, OPENS_AFTER_MAX)
    const frame = this.#frame(call, PROPOSAL_DEADLINE_MS)
    const { accountOf, signedOperation } = await import('./operation-bytes.ts')
    const { readAuthority, readOperation } = await import('./operation-input.ts')
    const account = accountOf(signer)
    const proposed = { operation: readOperation(operation), authority: readAuthority(authority) }
    return this.#turns.inTurn(account, frame, async () => {
      const finalHeight = await this.#finalHeight(frame)
      const { sequence } = found(
        await this.#get(`/v1/accounts/${account}`, accountAnswer, frame),
        (why) =>
          new ClientError('E_NO_ACCOUNT', `the network has no account ${account}`, {
            why,
            fix: 'sign with the key of a validator’s account',
            exitCode: EXIT_DATA,
          }),
      )
      const { id, body } = await signedOperation(network as GenesisHash, signer, {
        sequence: sequence + 1,
        expiresAtHeight: asHeight(finalHeight + EXPIRES_AFTER_BLOCKS),
        operation: {
          kind: 'propose',
          ...proposed,
          // Who brings a certificate wants it decided by that.
          opensAt: asHeight(proposed.authority.length > 0 ? 0 : finalHeight + opensAfter),
        },
      })
      await this.#toFinality(id, body, frame)
      return id
    })
  }

  /**
   * Waits until an operation is decided.
   * @param id as {@link proposeOperation} gave it
   * @throws ClientError `E_NOT_DECIDED` when time is up before, `E_NO_OPERATION` when no node knew it until then (not
   *   final yet, or decided before the last 256), `E_NO_ANSWER`, `E_ANSWER`, `E_OPERATION_ID`, `E_OPTION`, with `network`
   *   `E_OTHER_NETWORK`; the signal's reason
   */
  async awaitResult(id: OperationId, options: OperationCall = {}): Promise<ConsensusResult> {
    if (typeof id !== 'string' || !isHex(id, 32)) {
      throw new ClientError('E_OPERATION_ID', `"${String(id).slice(0, 80)}" is no id of an operation`, {
        why: 'an id is the request key of the transaction that proposed it',
        fix: 'give the 64 lower-case hex digits that proposing it returned',
        exitCode: EXIT_USAGE,
      })
    }
    const frame = this.#frame(options, DECISION_DEADLINE_MS)
    for (;;) {
      const reply = await this.#get(`/v1/operations/${id}`, operationAnswer, frame)
      if (reply.kind === 'done' && reply.value.outcome !== null && reply.value.height !== null) {
        const { outcome, route, height, participatingNodes, trustAdjustments } = reply.value
        return { id, outcome, route, height, participatingNodes, trustAdjustments }
      }
      await this.#pause(frame, () => undecided(id, reply))
    }
  }

  /**
   * Trust in a validator, 0 to 1, for reading: the ledger counts in whole parts per million.
   * @param id of the validator, or of its account; 64 hex digits
   * @throws ClientError `E_NO_VALIDATOR` when it never took part in verdicts, by the word of every node that answers;
   *   `E_NO_ANSWER`, `E_ANSWER`, `E_OPTION`, with `network` `E_OTHER_NETWORK`; the signal's reason
   */
  async getTrustScore(id: string, options: OperationCall = {}): Promise<number> {
    const frame = this.#frame(options, TRUST_DEADLINE_MS)
    const route = `/v1/validators/${encodeURIComponent(id)}/trust`
    const { now } = found(
      await this.#get(route, trustAnswer, frame),
      (why) =>
        new ClientError('E_NO_VALIDATOR', `there is no trust in "${String(id).slice(0, 80)}"`, {
          why,
          fix: 'give the id of a validator or of its account, 64 lower-case hex digits',
          exitCode: EXIT_DATA,
        }),
    )
    return now.ppm / PPM
  }

  #frame(call: OperationCall, defaultMs: number): Frame {
    const { deadlineMs, signal, network } = call ?? {}
    return {
      endMs: this.#api.clock.nowMs() + timeOption('deadlineMs', deadlineMs, defaultMs),
      signal: signal ?? new AbortController().signal,
      ...(network === undefined ? {} : { network: networkOption(network) }),
    }
  }

  #get<T>(route: string, shape: Shape<T>, frame: Frame): Promise<ApiReply<T>> {
    return this.#api.call({ ...frame, route }, shape)
  }

  async #finalHeight(frame: Frame): Promise<number> {
    const { final } = found(
      await this.#get('/v1/status', statusAnswer, frame),
      (why) =>
        new ClientError('E_ANSWER', 'what answers is no node', {
          why,
          fix: 'check that it is the public API of a node of this version',
        }),
    )
    return final.height
  }

  async #toFinality(id: OperationId, body: string, frame: Frame): Promise<void> {
    const send = { ...frame, route: '/v1/transactions', body }
    for (let asked = 0; ; asked++) {
      const isToSend = asked % RESEND_EVERY === 0
      let reply = isToSend
        ? await this.#api.call(send, transactionAnswer)
        : await this.#get(`/v1/transactions/${id}`, transactionAnswer, frame)
      if (reply.kind === 'done' && reply.value.state === 'unknown' && !isToSend)
        reply = await this.#api.call(send, transactionAnswer)
      if (reply.kind === 'done' && reply.value.state === 'final') return
      await this.#pause(
        frame,
        () =>
          new ClientError('E_NOT_FINAL', `operation ${id} is not final yet`, {
            why: 'the chain is slow, or an earlier transaction of the account is missing',
            fix: 'wait for its result: it may still come',
          }),
      )
    }
  }

  async #pause({ endMs, signal }: Frame, late: () => ClientError): Promise<void> {
    const { clock } = this.#api
    if (clock.nowMs() + POLL_MS >= endMs) throw late()
    await clock.wait(POLL_MS, signal)
  }
}

function found<T>(reply: ApiReply<T>, none: (why: string) => ClientError): T {
  if (reply.kind === 'done') return reply.value
  throw none(reply.why)
}

function undecided(id: OperationId, reply: ApiReply<{ readonly state: string }>): ClientError {
  if (reply.kind === 'none') {
    return new ClientError('E_NO_OPERATION', `no node knows operation ${id}`, {
      why: reply.why,
      fix: 'check the id, and wait until its transaction is final',
      exitCode: EXIT_DATA,
    })
  }
  return new ClientError('E_NOT_DECIDED', `operation ${id} is ${reply.value.state.slice(0, 40)}`, {
    why: 'it is voted on from the height that it names, and has its effect at the end of the period',
    fix: 'ask again',
  })
}
