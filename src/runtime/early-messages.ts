/**
 * Messages of the next epoch that come before this node has begun it: the others had its first block a moment
 * earlier. Bounded per sender and in all; what does not fit is dropped, and its sender repeats what matters (R8).
 */
import type { ConsensusMessage } from '../types/messages.ts'
import type { ValidatorId } from '../types/primitives.ts'

/** A proposal, the votes and openings of a few views, and a timeout. */
const MESSAGES_PER_SENDER_MAX = 16
/** Encoded bytes of all senders together. */
const BYTES_MAX = 32 * 1024 * 1024

/** Announced blocks of the next epoch: as many as can become final while the last one of this epoch is written. */
const BLOCKS_MAX = 16

export interface EarlyMessage {
  readonly from: ValidatorId
  readonly message: ConsensusMessage
}

export class EarlyMessages {
  readonly #kept: EarlyMessage[] = []
  readonly #countBySender = new Map<ValidatorId, number>()
  #bytes = 0
  readonly #blocks: Uint8Array[] = []

  /** @param sizeBytes of the message as it came */
  keep(from: ValidatorId, message: ConsensusMessage, sizeBytes: number): void {
    const count = this.#countBySender.get(from) ?? 0
    if (count >= MESSAGES_PER_SENDER_MAX || this.#bytes + sizeBytes > BYTES_MAX) return
    this.#countBySender.set(from, count + 1)
    this.#bytes += sizeBytes
    this.#kept.push({ from, message })
  }

  /** @param announcement of a final block, as it came */
  keepBlock(announcement: Uint8Array): void {
    const bytes = this.#blocks.reduce((sum, { length }) => sum + length, announcement.length)
    if (this.#blocks.length < BLOCKS_MAX && bytes <= BYTES_MAX) this.#blocks.push(announcement)
  }

  /** The announcements in the order they came; none are left. */
  takeBlocks(): Uint8Array[] {
    return this.#blocks.splice(0)
  }

  /** All of them in the order they came; none are left. */
  take(): EarlyMessage[] {
    this.#countBySender.clear()
    this.#bytes = 0
    return this.#kept.splice(0)
  }
}

/** The epoch a message belongs to; null for one that says nothing of it. */
export function epochOfMessage(message: ConsensusMessage): number | null {
  switch (message.kind) {
    case 'proposal':
      return message.block.header.epoch
    case 'prepare':
    case 'pre-commit':
    case 'openings':
    case 'commit':
    case 'timeout':
      return message.epoch
    case 'certificates': {
      const { highQc, highTc, finality } = message
      const epochs = [highQc, highTc, finality].flatMap((certificate) => certificate?.epoch ?? [])
      return epochs.length === 0 ? null : Math.max(...epochs)
    }
    case 'certificate-request':
      return null
  }
}
