/**
 * Noise's packets put together without an exception. The library's reader asks for the length of the next packet
 * until there is none, which it is told by an error: one with its stack for every chunk that arrives, a third of
 * what it costs to bring a small message from one validator to another. Same packets.
 */

import type { Uint8ArrayList } from 'uint8arraylist'

/** The parts of the pinned library's stream (@libp2p/noise 17.0.3, utils.ts) that this touches. */
interface NoiseStreamParts {
  decoder: {
    decode(chunk: Uint8Array | Uint8ArrayList): Iterable<Uint8Array>
    /** What it holds of a packet. */
    readonly buffer?: Uint8ArrayList
  }
}

/**
 * Packets of Noise from chunks cut anywhere: u16 big-endian length, then that many bytes (libp2p specs, noise:
 * "Wire Format"). One that lies whole in a chunk is handed out in place; only one that spans chunks is copied together.
 */
export class NoisePackets {
  #highByte: number | undefined
  #length: number | undefined
  #parts: Uint8Array[] = []
  #missing = 0

  /** Takes the next bytes of the stream; gives the packets that are complete with them, without the empty ones. */
  decode(chunk: Uint8Array | Uint8ArrayList): Uint8Array[] {
    const packets: Uint8Array[] = []
    if (chunk instanceof Uint8Array) this.#take(chunk, packets)
    else for (const part of chunk) this.#take(part, packets)
    return packets
  }

  #take(chunk: Uint8Array, packets: Uint8Array[]): void {
    let at = 0
    while (at < chunk.byteLength) {
      if (this.#length === undefined) {
        const byte = chunk[at] ?? 0
        at += 1
        if (this.#highByte === undefined) {
          this.#highByte = byte
          continue
        }
        const length = (this.#highByte << 8) | byte
        this.#highByte = undefined
        if (length === 0) continue
        this.#length = length
        this.#missing = length
        continue
      }
      const piece = chunk.subarray(at, at + this.#missing)
      at += piece.byteLength
      this.#missing -= piece.byteLength
      if (this.#missing > 0) {
        // What has really arrived is held, not what was announced.
        this.#parts.push(piece)
        continue
      }
      packets.push(this.#parts.length === 0 ? piece : Buffer.concat([...this.#parts, piece], this.#length))
      this.#length = undefined
      this.#parts = []
    }
  }
}

/** Puts our reader into a connection that Noise has secured. */
export function leanNoise(connection: object): void {
  // Between two packets only: the half of one that the library holds would be lost.
  if (hasDecoder(connection) && connection.decoder.buffer?.byteLength === 0) {
    connection.decoder = new NoisePackets()
  }
}

/** Another version of the library may look different; then it runs as it is. */
function hasDecoder(connection: object): connection is NoiseStreamParts {
  const { decoder } = connection as Partial<NoiseStreamParts>
  return typeof decoder?.decode === 'function'
}
