/**
 * Operations from a program (spec/commit-reveal.md 6.4): propose one, wait for its decision, read trust. How one is
 * decided is in ledger/operations; openings and commits are the validators' own affair and have no call here. Holds no
 * key, and believes the node that answers: a receipt (hypermesh-client.ts) is the proof of a decision.
 */
import { isHex } from '../codec/hex.ts'
import type { Shape } from '../rpc/json-shape.ts'
import type { AuthoritySignature, NetworkOperation } from '../types/operations.ts'
import { asHeight, type GenesisHash } from '../types/primitives.ts'
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
import { type ApiCall, type ApiReply, PublicApi, type PublicApiOptions } from './public-api.ts'

/** 64 lower-case hex digits: the request key of the transaction that proposed it. */
export type OperationId = string

/** How long one call may take, and what ends it before. */
export interface OperationCall {
  readonly deadlineMs?: number
  /** Ends the call with its reason. What was sent may be done all the same. */
  readonly signal?: AbortSignal
}

/** Who proposes, where, and when it is voted on. */
export interface ProposalOptions extends OperationCall {
  readonly signer: OperationSigner
  /** Genesis hash of the network that is meant, 64 hex digits: a node's word for it is not taken. */
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
/** How far above the final height a transaction may still be taken. */
const EXPIRES_AFTER_BLOCKS = 200
/** A node may lose what waits in it: the same bytes are sent again, which is the same as once. */
const RESEND_EVERY = 20
const PPM = 1_000_000
const EXIT_USAGE = 64
const EXIT_DATA = 65

type Frame = Pick<ApiCall, 'endMs' | 'signal'>

export class OperationsClient {
  readonly #api: PublicApi

  /** @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT` */
  constructor(options: PublicApiOptions) {
    this.#api = new PublicApi(options)
  }

  /**
   * Proposes an operation as the next transaction of the signer's account, and waits until it is final. Calls for one
   * account go one after the other: each takes the account's next sequence.
   * @returns the id under which its decision is asked for
   * @throws ClientError `E_REFUSED` when a rule forbids it, `E_OTHER_NETWORK`, `E_NO_ACCOUNT`, `E_SIGNER`, `E_NOT_FINAL`
   *   when time is up (it may still come), `E_NO_ANSWER`; the signal's reason; what `sign` throws
   */
  async proposeOperation(operation: NetworkOperation, options: ProposalOptions): Promise<OperationId> {
    const { signer, network, opensAfterBlocks = OPENS_AFTER_DEFAULT, authority = [] } = options
    const frame = this.#frame(options, PROPOSAL_DEADLINE_MS)
    const { accountOf, signedOperation } = await import('./operation-bytes.ts')
    const account = accountOf(signer)
    const finalHeight = await this.#finalHeight(network, frame)
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
        operation,
        // Who brings a certificate wants it decided by that.
        opensAt: asHeight(authority.length > 0 ? 0 : finalHeight + opensAfterBlocks),
        authority,
      },
    })
    await this.#toFinality(id, body, frame)
    return id
  }

  /**
   * Waits until an operation is decided.
   * @param id as {@link proposeOperation} gave it
   * @throws ClientError `E_NOT_DECIDED` when time is up before, `E_NO_OPERATION` when no node knew it until then (not
   *   final yet, or decided before the last 256), `E_NO_ANSWER`, `E_OPERATION_ID`; the signal's reason
   */
  async awaitResult(id: OperationId, options: OperationCall = {}): Promise<ConsensusResult> {
    if (!isHex(id, 32)) {
      throw new ClientError('E_OPERATION_ID', `"${String(id).slice(0, 80)}" is no id of an operation`, {
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
   * @throws ClientError `E_NO_VALIDATOR` when it never took part in verdicts, `E_NO_ANSWER`; the signal's reason
   */
  async getTrustScore(id: string, options: OperationCall = {}): Promise<number> {
    const frame = this.#frame(options, TRUST_DEADLINE_MS)
    const route = `/v1/validators/${encodeURIComponent(id)}/trust`
    const { now } = found(
      await this.#get(route, trustAnswer, frame),
      (why) =>
        new ClientError('E_NO_VALIDATOR', `there is no trust in "${id.slice(0, 80)}"`, {
          why,
          fix: 'give the id of a validator or of its account, 64 lower-case hex digits',
          exitCode: EXIT_DATA,
        }),
    )
    return now.ppm / PPM
  }

  #frame({ deadlineMs, signal }: OperationCall, defaultMs: number): Frame {
    return {
      endMs: this.#api.clock.nowMs() + (deadlineMs ?? defaultMs),
      signal: signal ?? new AbortController().signal,
    }
  }

  #get<T>(route: string, shape: Shape<T>, frame: Frame): Promise<ApiReply<T>> {
    return this.#api.call({ ...frame, route }, shape)
  }

  async #finalHeight(network: string, frame: Frame): Promise<number> {
    const reply = await this.#get('/v1/status', statusAnswer, frame)
    const { genesisHash, final } = found(
      reply,
      (why) =>
        new ClientError('E_ANSWER', 'what answers is no node', {
          why,
          fix: 'check that it is the public API of a node of this version',
        }),
    )
    if (genesisHash === network) return final.height
    throw new ClientError('E_OTHER_NETWORK', 'the node that answers is on another network', {
      why: `its genesis is ${genesisHash}, not ${network.slice(0, 80)}`,
      fix: 'name a node of the network that is meant',
      exitCode: EXIT_DATA,
    })
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
