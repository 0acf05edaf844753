/**
 * The running SHA-256 over everything that a handshake must agree on. Every item enters with its length, so
 * no two lists of items hash alike.
 */

import { createHash } from 'node:crypto'

const PROTOCOL = Buffer.from('hypermesh/session/v1')

/** What both sides know before the first message. Peer ids are already proven by Noise or TLS. */
export interface SessionParties {
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  readonly initiatorPeerId: string
  readonly responderPeerId: string
}

/** The transcript of one handshake. */
export class Transcript {
  readonly #hash = createHash('sha256')

  constructor(parties: SessionParties) {
    this.add(PROTOCOL)
    this.add(parties.genesisHash)
    this.add(Buffer.from(parties.initiatorPeerId))
    this.add(Buffer.from(parties.responderPeerId))
  }

  /** Appends one item. */
  add(item: Uint8Array): void {
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(item.byteLength)
    this.#hash.update(length).update(item)
  }

  /** SHA-256 over everything added so far, 32 bytes; the transcript goes on. */
  digest(): Uint8Array {
    return this.#hash.copy().digest()
  }
}
