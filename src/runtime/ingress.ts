/**
 * What comes from another validator: size (bounded by the channel), decode, worth it?, verify, then the
 * replica. In this order, because each step costs more than the one before (R16).
 */
import { decodeMessage } from '../codec/messages.ts'
import type { ConsensusInput } from '../consensus/input.ts'
import type { Triage } from '../consensus/triage.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import type { ConsensusMessage } from '../types/messages.ts'
import type { ValidatorId, ValidatorIndex } from '../types/primitives.ts'
import type { MessageVerifier } from './message-verifier.ts'

export type IngressOutcome = 'accepted' | 'ignored' | 'malformed' | 'not-a-validator' | 'bad-signature'

export interface IngressOptions {
  readonly electorate: Electorate
  readonly verifier: MessageVerifier
  readonly triage: (message: ConsensusMessage) => Triage
  readonly input: (input: ConsensusInput) => void
}

export class Ingress {
  readonly #options: IngressOptions

  constructor(options: IngressOptions) {
    this.#options = options
  }

  /** @returns what became of the message, for counting; a remote's fault is a value, never an exception */
  receive(from: ValidatorId, bytes: Uint8Array): IngressOutcome {
    const decoded = decodeMessage(bytes)
    return decoded.ok ? this.take(from, decoded.value) : 'malformed'
  }

  /** The same for a message that is decoded. */
  take(from: ValidatorId, decoded: ConsensusMessage): IngressOutcome {
    const { electorate, verifier, triage, input } = this.#options
    const sender = electorate.indexOf(from)
    if (sender === null) return 'not-a-validator'
    if (isPassedOn(decoded, sender)) return 'ignored'
    if (triage(decoded) === 'ignore') return 'ignored'
    const message = verifier.verify(decoded)
    if (message === null) return 'bad-signature'
    input({ kind: 'message-received', from: sender, message })
    return 'accepted'
  }
}

/**
 * Whether it is a vote, or openings, of another than its sender. Openings have no signature: who passed them on could
 * put others in their place, or none, and the true ones would come too late. Everyone sends his own to everyone.
 */
function isPassedOn(message: ConsensusMessage, sender: ValidatorIndex): boolean {
  const { kind } = message
  return (kind === 'prepare' || kind === 'pre-commit' || kind === 'openings') && message.voter !== sender
}
