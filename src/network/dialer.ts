/**
 * Keeps connections to those we want one with: bootstrap peers and validators. It redials with a backoff that
 * begins fast, asks the peer store and the DHT when the given addresses fail, and stops while connected.
 */

import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from '../types/logger.ts'
import { otherPeerAnswered } from './addresses.ts'
import { guarded, normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'

/** Waits between attempts, doubled from the first to the last, with up to a quarter of chance. */
export const REDIAL = {
  firstMs: 50,
  /** A validator is dialled for as long as it is one. */
  validatorLastMs: 2_000,
  /** A bootstrap peer is somebody we know nothing of. */
  bootstrapLastMs: 10_000,
  /** One attempt in so many asks the peer store and the DHT instead of the given addresses. */
  lookupEvery: 4,
  /** At most one summary of failures per this. */
  summaryMs: 30_000,
} as const

/** Whom we want a connection with, and why. */
export type DialRole = 'bootstrap' | 'validator'

/** A peer with the addresses that somebody gave us; empty: look it up. */
export interface DialTarget {
  /** Base58; for a /dnsaddr that names no peer, the address itself. */
  readonly peerId: string
  /** Each with the peer id at its end, or none of them. */
  readonly addresses: readonly Multiaddr[]
}

/** Parts of a {@link PeerDialer}. */
export interface PeerDialerOptions {
  readonly host: Pick<Libp2p, 'dial' | 'addEventListener' | 'removeEventListener' | 'getConnections'>
  readonly meter: NetworkMeter
  readonly logger: Logger
}

interface Wanted {
  addresses: readonly Multiaddr[]
  readonly roles: Set<DialRole>
  waitMs: number
  attempts: number
  timer: NodeJS.Timeout | undefined
  dialing: boolean
  lastFailure: string | undefined
}

/** The dialer. */
export class PeerDialer {
  readonly #options: PeerDialerOptions
  readonly #wanted = new Map<string, Wanted>()
  readonly #named = new Set<string>()
  readonly #onDisconnect: (event: CustomEvent<PeerId>) => void
  readonly #onConnect: (event: CustomEvent<PeerId>) => void
  #summarisedAtMs = Number.NEGATIVE_INFINITY
  #started = false

  constructor(options: PeerDialerOptions) {
    this.#options = options
    const onError = (error: Error): void =>
      options.logger.debug({ detail: error.message }, 'a connection event was not looked at')
    this.#onDisconnect = guarded((event: CustomEvent<PeerId>) => {
      const id = event.detail.toString()
      const wanted = this.#wanted.get(id)
      if (wanted !== undefined) this.#soon(id, wanted)
      // Nobody left: names that stand for peers we cannot tell apart are asked again.
      if (this.#options.host.getConnections().length > 0) return
      for (const [name, named] of this.#wanted) if (isName(name)) this.#soon(name, named)
    }, onError)
    this.#onConnect = guarded((event: CustomEvent<PeerId>) => {
      const wanted = this.#wanted.get(event.detail.toString())
      if (wanted !== undefined) rest(wanted)
    }, onError)
  }

  /** Begins to dial. The libp2p node must have been started. */
  start(): void {
    const { host } = this.#options
    this.#started = true
    host.addEventListener('peer:disconnect', this.#onDisconnect)
    host.addEventListener('peer:connect', this.#onConnect)
    for (const [id, wanted] of this.#wanted) this.#dial(id, wanted)
  }

  stop(): void {
    const { host } = this.#options
    this.#started = false
    host.removeEventListener('peer:disconnect', this.#onDisconnect)
    host.removeEventListener('peer:connect', this.#onConnect)
    for (const wanted of this.#wanted.values()) clearTimeout(wanted.timer)
    this.#wanted.clear()
  }

  /** Replaces the peers of one role; existing connections are left alone. */
  setTargets(role: DialRole, targets: readonly DialTarget[]): void {
    const ids = new Set(targets.map(({ peerId }) => peerId))
    for (const [id, wanted] of [...this.#wanted]) {
      if (ids.has(id)) continue
      wanted.roles.delete(role)
      if (wanted.roles.size > 0) continue
      clearTimeout(wanted.timer)
      this.#wanted.delete(id)
    }
    for (const target of targets) this.#want(role, target)
  }

  /** How many of a role are connected, and why the others are not. */
  state(role: DialRole): {
    readonly connected: number
    readonly wanted: number
    readonly failures: string[]
  } {
    const mine = [...this.#wanted].filter(([, { roles }]) => roles.has(role))
    const away = mine.filter(([id]) => !this.#isConnected(id))
    return {
      connected: mine.length - away.length,
      wanted: mine.length,
      failures: away.flatMap(([, { lastFailure }]) => (lastFailure === undefined ? [] : [lastFailure])),
    }
  }

  #want(role: DialRole, target: DialTarget): void {
    const known = this.#wanted.get(target.peerId)
    if (known !== undefined) {
      known.roles.add(role)
      // What a validator says of itself is newer than a list; a list is better than nothing.
      const isNews = target.addresses.length > 0 && String(known.addresses) !== String(target.addresses)
      if (isNews && (role === 'validator' || !known.roles.has('validator'))) {
        known.addresses = target.addresses
        known.waitMs = REDIAL.firstMs
        if (this.#started) this.#dial(target.peerId, known)
      }
      return
    }
    const wanted: Wanted = {
      addresses: target.addresses,
      roles: new Set([role]),
      waitMs: REDIAL.firstMs,
      attempts: 0,
      timer: undefined,
      dialing: false,
      lastFailure: undefined,
    }
    this.#wanted.set(target.peerId, wanted)
    if (this.#started) this.#dial(target.peerId, wanted)
  }

  #isConnected(id: string): boolean {
    return this.#options.host
      .getConnections()
      .some(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === id)
  }

  #soon(id: string, wanted: Wanted): void {
    if (!this.#started || wanted.timer !== undefined || this.#wanted.get(id) !== wanted) return
    const last = wanted.roles.has('validator') ? REDIAL.validatorLastMs : REDIAL.bootstrapLastMs
    const waitMs = Math.min(wanted.waitMs, last)
    wanted.waitMs = Math.min(2 * waitMs, last)
    wanted.timer = setTimeout(
      () => {
        wanted.timer = undefined
        this.#dial(id, wanted)
      },
      waitMs * (1 + Math.random() / 4),
    )
  }

  #dial(id: string, wanted: Wanted): void {
    if (!this.#started || wanted.dialing || this.#wanted.get(id) !== wanted) return
    if (this.#isConnected(id)) {
      rest(wanted)
      return
    }
    wanted.dialing = true
    wanted.attempts += 1
    const { host, meter } = this.#options
    const lookup =
      !isName(id) && (wanted.addresses.length === 0 || wanted.attempts % REDIAL.lookupEvery === 0)
    host.dial(lookup ? peerIdFromString(id) : [...wanted.addresses]).then(
      () => {
        wanted.dialing = false
        rest(wanted)
        meter('dial', 'connected')
      },
      (thrown: unknown) => {
        wanted.dialing = false
        meter('dial', 'failed')
        this.#onFailure(id, wanted, normaliseError(thrown))
        this.#soon(id, wanted)
      },
    )
  }

  #onFailure(id: string, wanted: Wanted, error: Error): void {
    const { logger } = this.#options
    wanted.lastFailure = failureKind(error)
    logger.debug({ peer: id, detail: error.message, attempts: wanted.attempts }, 'a peer did not answer')
    const address = wanted.addresses[0]?.toString() ?? id
    // A validator tells its addresses itself, and tells them anew when they change.
    const other = wanted.roles.has('bootstrap') ? otherPeerAnswered(address, error) : undefined
    if (other !== undefined && !this.#named.has(id)) {
      this.#named.add(id)
      logger.warn(
        { code: other.code, what: other.message, ...other.advice },
        'another peer answered at a bootstrap address',
      )
    }
    const { connected, wanted: all, failures } = this.state('bootstrap')
    const now = performance.now()
    if (connected > 0 || all === 0 || failures.length < all || now - this.#summarisedAtMs < REDIAL.summaryMs)
      return
    // A network that starts together begins like this. With nobody else either, and for so long, somebody should look.
    const isFirst = this.#summarisedAtMs === Number.NEGATIVE_INFINITY
    const level = isFirst || this.#options.host.getConnections().length > 0 ? 'info' : 'warn'
    this.#summarisedAtMs = now
    const counts: Record<string, number> = {}
    for (const failure of failures) counts[failure] = (counts[failure] ?? 0) + 1
    logger[level]({ bootstrapPeers: all, failures: counts }, 'no bootstrap peer answered; retrying')
  }
}

/** Whether a target is a /dnsaddr that names no peer. */
function isName(id: string): boolean {
  return id.startsWith('/')
}

function rest(wanted: Wanted): void {
  clearTimeout(wanted.timer)
  wanted.timer = undefined
  wanted.waitMs = REDIAL.firstMs
  wanted.attempts = 0
  wanted.lastFailure = undefined
}

/** A failed dial in one word. */
function failureKind(error: Error): string {
  const text = [error, ...(error instanceof AggregateError ? (error.errors as unknown[]) : [])]
    .map(String)
    .join(' ')
  if (text.includes('ECONNREFUSED')) return 'refused'
  if (/identity key|but connected to/.test(text)) return 'other-peer'
  if (/session refused|Encryption/.test(text)) return 'session-refused'
  if (/[Tt]imed? ?out|TimeoutError|aborted/.test(text)) return 'timed-out'
  if (/valid addresses|[Nn]ot found/.test(text)) return 'no-address'
  return 'failed'
}
