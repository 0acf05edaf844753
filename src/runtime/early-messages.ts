/**
 * Messages of the epochs to come: the others had the first block a moment earlier, or this node is catching up, and what
 * is sent meanwhile is what leads from the blocks that it fetches to those that are being made. Bounded per sender, per
 * epoch and in all; what does not fit is dropped, and its sender repeats what matters (R8).
 */
import type { ConsensusMessage } from '../types/messages.ts'
import type { ValidatorId } from '../types/primitives.ts'

/** Epochs to come of which anything is kept: fetching must not take longer than so many of them last. */
const EPOCHS_MAX = 8
/** Of one epoch: a proposal, the votes of some views, and a timeout. */
const MESSAGES_PER_SENDER_MAX = 64
/** Encoded bytes of all senders together, in all epochs. */
const BYTES_MAX = 32 * 1024 * 1024
/** Announced blocks of one epoch: as many as can become final while the last one of the epoch before is written. */
const BLOCKS_MAX = 64

export interface EarlyMessage {
  readonly from: ValidatorId
  readonly message: ConsensusMessage
}

/** What was kept of one epoch, in the order it came. */
export interface EarlyEpoch {
  readonly messages: readonly EarlyMessage[]
  /** Announcements of final blocks. */
  readonly announcements: readonly Uint8Array[]
}

interface Kept {
  readonly messages: (EarlyMessage & { readonly sizeBytes: number })[]
  readonly announcements: Uint8Array[]
  readonly countBySender: Map<ValidatorId, number>
}

export class EarlyMessages {
  readonly #epochs = new Map<number, Kept>()
  #messageBytes = 0
  #announcementBytes = 0

  /**
   * @param epoch of the message
   * @param current of this node
   * @param sizeBytes of the message as it came
   */
  keep(epoch: number, current: number, { from, message }: EarlyMessage, sizeBytes: number): void {
    const kept = this.#keptOf(epoch, current)
    const count = kept?.countBySender.get(from) ?? 0
    if (kept === null || count >= MESSAGES_PER_SENDER_MAX) return
    if (this.#messageBytes + sizeBytes > BYTES_MAX) return
    this.#messageBytes += sizeBytes
    kept.countBySender.set(from, count + 1)
    kept.messages.push({ from, message, sizeBytes })
  }

  /** @param announcement of a final block, as it came */
  keepAnnouncement(epoch: number, current: number, announcement: Uint8Array): void {
    const kept = this.#keptOf(epoch, current)
    if (kept === null || kept.announcements.length >= BLOCKS_MAX) return
    if (this.#announcementBytes + announcement.length > BYTES_MAX) return
    this.#announcementBytes += announcement.length
    kept.announcements.push(announcement)
  }

  /** What was kept of an epoch that begins here. It is forgotten, and so is what came of those before. */
  take(epoch: number): EarlyEpoch {
    const kept = this.#epochs.get(epoch)
    for (const [of, { messages, announcements }] of this.#epochs) {
      if (of > epoch) continue
      this.#epochs.delete(of)
      this.#messageBytes -= messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      this.#announcementBytes -= announcements.reduce((sum, { length }) => sum + length, 0)
    }
    return { messages: kept?.messages ?? [], announcements: kept?.announcements ?? [] }
  }

  #keptOf(epoch: number, current: number): Kept | null {
    if (epoch <= current || epoch > current + EPOCHS_MAX) return null
    let kept = this.#epochs.get(epoch)
    if (kept === undefined) {
      kept = { messages: [], announcements: [], countBySender: new Map() }
      this.#epochs.set(epoch, kept)
    }
    return kept
  }
}

/** The epoch a message belongs to; null for one that says nothing of it. */
export function epochOfMessage(message: ConsensusMessage): number | null {
  switch (message.kind) {
    case 'proposal':
      return message.block.header.epoch
    case 'prepare':
    case 'pre-commit':
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
