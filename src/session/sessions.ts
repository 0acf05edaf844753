/**
 * The session layer of one node: runs handshakes for both carriers under one deadline, one set of limits and
 * one admission policy, and logs why each refused session was refused. How frames get onto TCP and QUIC is
 * the carriers' matter (tcp-encrypter.ts, quic-transport.ts).
 */

import type { MessageStream } from '@libp2p/interface'
import { assert } from '../types/assert.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import { HandshakeChannel } from './handshake-channel.ts'
import { InitiatorHandshake } from './handshake-initiator.ts'
import { HandshakeLimiter } from './handshake-limiter.ts'
import type { HandshakeParameters } from './handshake-parameters.ts'
import { ResponderHandshake } from './handshake-responder.ts'
import type { SessionRole } from './key-schedule.ts'
import {
  type FrameRefusalCode,
  SessionError,
  type SessionRefusal,
  type SessionRefusalCode,
} from './refusal.ts'
import {
  DEFAULT_SESSION_LIMITS,
  type SessionCandidate,
  type SessionDirection,
  type SessionLimits,
  type SessionOptions,
} from './session-options.ts'

/** Who is at the other end of a connection that is being upgraded. */
export interface SessionRemote {
  readonly peerId: string
  readonly address: string
}

/** A handshake that both sides have finished. */
export interface Session {
  readonly role: SessionRole
  /** Where all traffic keys come from, 32 bytes. */
  readonly secret: Uint8Array
  /** Bytes that arrived on the handshake's stream behind the last message. */
  readonly leftover: Uint8Array
  /** Ends the registration in `AuthenticatedPeers`; to be called when the connection closes. */
  readonly release: () => void
}

interface Proven {
  readonly secret: Uint8Array
  readonly release: () => void
}

/** Why an upgrade's signal was aborted, when it was the deadline. */
class DeadlineReached extends Error {}

function causeOf(signal: AbortSignal, late: SessionRefusal): SessionRefusal {
  return signal.reason instanceof DeadlineReached ? late : refuse('cancelled', 'we gave up the connection')
}

const SAID_BY_THE_DIALLER: ReadonlySet<SessionRefusalCode> = new Set(['cancelled', 'unexpected-peer'])

/** The session layer; give the same object to both carriers, they share its limits. */
export class Sessions {
  readonly limits: SessionLimits
  readonly #options: SessionOptions
  readonly #limiter: HandshakeLimiter

  constructor(options: SessionOptions) {
    const { genesisHash } = options.identity
    assert(genesisHash.byteLength === 32, `a genesis hash has 32 bytes, not ${genesisHash.byteLength}`)
    this.limits = { ...DEFAULT_SESSION_LIMITS, ...options.limits }
    this.#options = options
    this.#limiter = new HandshakeLimiter(this.limits)
  }

  /**
   * Runs one side of an upgrade under the deadline and, when inbound, the limits. A refusal is logged here
   * and nowhere else.
   *
   * @param attempt does the upgrade; its signal is aborted at the deadline or with `signal`
   * @throws SessionError when the attempt is refused or late
   */
  async upgrade<T>(
    direction: SessionDirection,
    address: string,
    signal: AbortSignal | undefined,
    attempt: (signal: AbortSignal) => Promise<Result<T, SessionRefusalCode>>,
  ): Promise<T> {
    const place = direction === 'inbound' ? this.#limiter.enter(address) : ok(() => {})
    if (!place.ok) throw this.refused(place, direction, address)
    const deadline = new AbortController()
    const giveUp = () => deadline.abort(signal?.reason)
    const late = refuse('too-slow', `not finished after ${this.limits.handshakeDeadlineMs} ms`)
    const timer = setTimeout(() => deadline.abort(new DeadlineReached()), this.limits.handshakeDeadlineMs)
    signal?.addEventListener('abort', giveUp)
    if (signal?.aborted === true) giveUp()
    try {
      const result = await attempt(deadline.signal)
      if (result.ok) {
        this.#options.onHandshake?.('completed')
        return result.value
      }
      throw this.refused(
        deadline.signal.aborted ? causeOf(deadline.signal, late) : result,
        direction,
        address,
      )
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      place.value()
    }
  }

  /**
   * The handshake itself, on a stream whose remote peer id is already proven.
   *
   * @param signal the one that `upgrade` gave
   */
  async handshake(
    role: SessionRole,
    stream: MessageStream,
    remote: SessionRemote,
    signal: AbortSignal,
  ): Promise<Result<Session, SessionRefusalCode>> {
    const channel = new HandshakeChannel(stream, signal)
    const proven =
      role === 'initiator' ? await this.#initiate(channel, remote) : await this.#respond(channel, remote)
    if (!proven.ok) {
      await channel.refuse(proven)
      return proven
    }
    return ok({ role, ...proven.value, leftover: channel.release() })
  }

  /** Logs a sealed stream that was cut; on QUIC a plain reset by the remote looks the same. */
  readonly onCut = (refusal: Refusal<FrameRefusalCode>): void => {
    this.#options.logger.debug({ code: refusal.code, detail: refusal.detail }, 'sealed stream was cut')
  }

  /**
   * Logs and counts a refusal and gives the error to throw into libp2p. Dials that fail concern this node's operator,
   * except where whoever dialled knows better what it means; what knocks at the door is the internet's noise.
   */
  refused(refusal: SessionRefusal, direction: SessionDirection, address: string): SessionError {
    const { code, detail } = refusal
    const level = direction === 'outbound' && !SAID_BY_THE_DIALLER.has(code) ? 'warn' : 'debug'
    this.#options.logger[level]({ code, detail, direction, address }, 'post-quantum session refused')
    if (code !== 'cancelled') this.#options.onHandshake?.('refused')
    return new SessionError(refusal)
  }

  /** Our own bug unless libp2p runs under the peer id that our transcripts name. */
  assertPeerId(peerId: string): void {
    assert(peerId === this.#options.identity.peerId, `libp2p runs as ${peerId}, sessions do not`)
  }

  async #initiate(
    channel: HandshakeChannel,
    remote: SessionRemote,
  ): Promise<Result<Proven, SessionRefusalCode>> {
    const handshake = new InitiatorHandshake(this.#parameters('initiator', remote))
    channel.send(handshake.hello())
    const reply = await channel.read('reply')
    if (!reply.ok) return reply
    const responder = handshake.onReply(reply.value)
    if (!responder.ok) return responder
    const admitted = this.#admit({ ...remote, ...responder.value, direction: 'outbound' })
    if (!admitted.ok) return admitted
    channel.send(handshake.proof())
    const confirm = await channel.read('confirm')
    if (!confirm.ok) return confirm
    const secret = handshake.onConfirm(confirm.value)
    if (!secret.ok) return secret
    const registered = this.#options.peers.register({ peerId: remote.peerId, ...responder.value })
    return registered.ok ? ok({ secret: secret.value, release: registered.value }) : registered
  }

  async #respond(
    channel: HandshakeChannel,
    remote: SessionRemote,
  ): Promise<Result<Proven, SessionRefusalCode>> {
    const handshake = new ResponderHandshake(this.#parameters('responder', remote))
    const hello = await channel.read('hello')
    if (!hello.ok) return hello
    const reply = handshake.onHello(hello.value)
    if (!reply.ok) return reply
    channel.send(reply.value)
    const proof = await channel.read('proof')
    if (!proof.ok) return proof
    const initiator = handshake.onProof(proof.value)
    if (!initiator.ok) return initiator
    const admitted = this.#admit({ ...remote, ...initiator.value, direction: 'inbound' })
    if (!admitted.ok) return admitted
    const registered = this.#options.peers.register({ peerId: remote.peerId, ...initiator.value })
    if (!registered.ok) return registered
    const { message, secret } = handshake.confirm()
    channel.send(message)
    return ok({ secret, release: registered.value })
  }

  #parameters(role: SessionRole, remote: SessionRemote): HandshakeParameters {
    const { identity, mlDsa, mlKem } = this.#options
    const ours = role === 'initiator'
    return {
      parties: {
        genesisHash: identity.genesisHash,
        initiatorPeerId: ours ? identity.peerId : remote.peerId,
        responderPeerId: ours ? remote.peerId : identity.peerId,
      },
      keyPair: identity.keyPair,
      mlDsa,
      mlKem,
    }
  }

  #admit(candidate: SessionCandidate): Result<undefined, 'stranger'> {
    const admitted = this.#options.admit(candidate)
    return admitted === true ? ok(undefined) : refuse('stranger', admitted.reason)
  }
}
