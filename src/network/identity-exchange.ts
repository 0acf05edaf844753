/**
 * Keeps the directory full: tells our own certificate by gossip when we are a validator and our addresses
 * change, gives the directory to whoever asks, and asks new neighbours while ours has gaps.
 */

import type { Connection, Ed25519PrivateKey, Libp2p, Stream } from '@libp2p/interface'
import { validatorId } from '../codec/genesis.ts'
import { VALIDATORS_MAX } from '../codec/limits.ts'
import type { Logger } from '../types/logger.ts'
import type { GenesisHash, ValidatorId } from '../types/primitives.ts'
import { asUnixMs } from '../types/primitives.ts'
import { isPrivate, withoutPeerId } from './addresses.ts'
import { FrameStream } from './frame-stream.ts'
import type { GossipVerdict } from './gossip.ts'
import { guarded, guardStreams, normaliseError, StreamCut } from './guard.ts'
import { type IdentitySigner, signIdentity } from './identity-certificate.ts'
import type { IdentityDirectory, OfferOutcome } from './identity-directory.ts'
import type { NetworkMeter } from './meter.ts'
import { TokenBucket } from './token-bucket.ts'
import { IDENTITY_CERTIFICATES, PROTOCOL_LIMITS } from './topics.ts'

/** Parts of an {@link IdentityExchange}. */
export interface IdentityExchangeOptions {
  readonly host: Pick<
    Libp2p,
    'handle' | 'unhandle' | 'addEventListener' | 'removeEventListener' | 'getMultiaddrs'
  >
  readonly protocol: string
  readonly genesisHash: GenesisHash
  readonly peerId: string
  readonly networkKey: Ed25519PrivateKey
  /** Our ML-DSA identity, a validator's or not. */
  readonly signer: IdentitySigner
  readonly directory: IdentityDirectory
  /** Tell private addresses too. */
  readonly privateAddresses: boolean
  /** Sends our certificate by gossip. */
  readonly publish: (bytes: Uint8Array) => void
  /** Unix time in milliseconds. */
  readonly nowMs: () => number
  readonly meter: NetworkMeter
  readonly logger: Logger
}

const LIMITS = PROTOCOL_LIMITS.identities

/** The exchange. */
export class IdentityExchange {
  readonly #options: IdentityExchangeOptions
  readonly #ownId: ValidatorId
  readonly #tokens = new WeakMap<Connection, TokenBucket>()
  readonly #onConnection: (event: CustomEvent<Connection>) => void
  readonly #onSelfUpdate: () => void
  #isValidator = false
  #sequence = 0
  #settle: NodeJS.Timeout | undefined
  #renew: NodeJS.Timeout | undefined
  #started = false

  constructor(options: IdentityExchangeOptions) {
    this.#options = options
    this.#ownId = validatorId(options.signer.publicKey)
    const onError = (error: Error): void =>
      options.logger.debug({ detail: error.message }, 'identity certificates were not exchanged')
    this.#onConnection = guarded((event: CustomEvent<Connection>) => this.#ask(event.detail), onError)
    this.#onSelfUpdate = guarded(() => this.#tellSoon(), onError)
  }

  async start(): Promise<void> {
    const { host, protocol, meter, logger } = this.#options
    this.#started = true
    await host.handle(
      protocol,
      guardStreams({ protocol, meter, logger }, (stream, connection) => this.#give(stream, connection)),
      { maxInboundStreams: LIMITS.streamsInboundMax, maxOutboundStreams: LIMITS.streamsOutboundMax },
    )
    host.addEventListener('connection:open', this.#onConnection)
    host.addEventListener('self:peer:update', this.#onSelfUpdate)
    this.#renew = setInterval(this.#onSelfUpdate, IDENTITY_CERTIFICATES.renewMs)
    this.#tellSoon()
  }

  async stop(): Promise<void> {
    const { host, protocol } = this.#options
    this.#started = false
    clearTimeout(this.#settle)
    clearInterval(this.#renew)
    host.removeEventListener('connection:open', this.#onConnection)
    host.removeEventListener('self:peer:update', this.#onSelfUpdate)
    await host.unhandle(protocol)
  }

  /** Follows the validator set; the directory is told by its owner. */
  setValidators(ids: readonly ValidatorId[]): void {
    const isValidator = ids.includes(this.#ownId)
    if (isValidator && !this.#isValidator) this.#tellSoon()
    this.#isValidator = isValidator
  }

  /** Judges a certificate that came by gossip. */
  async onGossip(bytes: Uint8Array): Promise<GossipVerdict> {
    const outcome = await this.#offer(bytes)
    if (outcome.ok) return outcome.value === 'new' ? 'accept' : 'ignore'
    // A stranger may be a validator tomorrow, and clocks differ: no proof of misbehaviour.
    return outcome.code === 'not-a-validator' || outcome.code === 'not-yet-valid' ? 'ignore' : 'reject'
  }

  async #offer(bytes: Uint8Array): Promise<OfferOutcome> {
    const { directory, meter } = this.#options
    const outcome = await directory.offer(bytes)
    meter('identity', !outcome.ok ? 'refused' : outcome.value === 'new' ? 'accepted' : 'known')
    return outcome
  }

  #tellSoon(): void {
    if (!this.#started || this.#settle !== undefined) return
    this.#settle = setTimeout(() => {
      this.#settle = undefined
      this.#tell().catch((thrown: unknown) =>
        this.#options.logger.warn(
          { detail: normaliseError(thrown).message },
          'our identity certificate could not be signed',
        ),
      )
    }, IDENTITY_CERTIFICATES.settleMs)
  }

  async #tell(): Promise<void> {
    const { host, genesisHash, peerId, signer, networkKey, nowMs, directory, publish } = this.#options
    const { privateAddresses } = this.#options
    if (!this.#isValidator) return
    const addresses = host
      .getMultiaddrs()
      .filter((address) => privateAddresses || !isPrivate(address))
      .map(withoutPeerId)
      .map(String)
      .filter((address) => address.length <= IDENTITY_CERTIFICATES.addressBytesMax)
      .slice(0, IDENTITY_CERTIFICATES.addressesMax)
    // The clock makes it higher than in our last life, without a file for it.
    this.#sequence = Math.max(this.#sequence + 1, nowMs())
    const statement = {
      genesisHash,
      peerId,
      mlDsaPublicKey: signer.publicKey,
      notBefore: asUnixMs(nowMs()),
      sequence: this.#sequence,
      addresses,
    }
    const bytes = await signIdentity(statement, signer, networkKey)
    if (!this.#started) return
    directory.setOwn({ id: this.#ownId, statement, bytes })
    publish(bytes)
  }

  #give(stream: Stream, connection: Connection): void {
    let tokens = this.#tokens.get(connection)
    if (tokens === undefined) {
      tokens = new TokenBucket(LIMITS.messagesPerSecond, LIMITS.messagesBurst)
      this.#tokens.set(connection, tokens)
    }
    if (!tokens.take(1)) throw new StreamCut('rate', 'the directory was asked for too often')
    const certificates = this.#options.directory.all().map(({ bytes }) => bytes)
    // What an asker sends is of no interest: the stream itself is the question.
    const frames = new FrameStream(
      stream,
      { frameBytesMax: 0 },
      { onFrame: () => undefined, onEnd: () => undefined },
    )
    if (certificates.length > 0) frames.send(certificates)
    else frames.sendSignOfLife()
    frames.close()
  }

  #ask(connection: Connection): void {
    const { directory, protocol, logger } = this.#options
    if (!directory.hasGaps) return
    const signal = AbortSignal.timeout(LIMITS.firstByteDeadlineMs)
    connection.newStream(protocol, { signal }).then(
      (stream) => {
        let left = VALIDATORS_MAX
        const frames = new FrameStream(stream, LIMITS, {
          onFrame: (frame) => {
            if (frame.byteLength === 0) return
            left -= 1
            if (left < 0) frames.cut('rate', 'too many certificates')
            else this.#offer(frame).catch(() => undefined)
          },
          onEnd: () => undefined,
        })
      },
      (thrown: unknown) =>
        logger.debug({ detail: normaliseError(thrown).message }, 'no certificates from a peer'),
    )
  }
}
