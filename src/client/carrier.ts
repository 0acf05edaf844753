/**
 * The seam between the client and what carries its calls. A carrier moves bytes to one endpoint and says how they were
 * taken; it neither parses answers nor tries again. HTTP is in fetch-carrier.ts; carriers with streams need only an
 * exchange of envelopes (envelope-carrier.ts).
 */
import type { Scheme } from './endpoint.ts'

/** What a node serves. Batches are HTTP's alone. */
export type ClientMethod =
  | 'validate_certificate'
  | 'validate_proofs'
  | 'validate_batch'
  | 'validation_status'
  | 'receipt'
  | 'health'

/** Bounds of one call; they hold whether the carrier keeps them or not. */
export interface CallLimits {
  /** From now; a whole number. */
  readonly deadlineMs: number
  /** Aborts at the deadline, and when the caller gives up. */
  readonly signal: AbortSignal
  readonly answerBytesMax: number
}

/** What came back. */
export interface CarrierReply {
  /** JSON, if the carrier is right about who is there. */
  readonly payload: Uint8Array
  /**
   * `success`: taken and answered. `try-again`: refused for now. `lasting`: refused, and it would be again.
   * `unsupported`: this endpoint has no such method.
   */
  readonly standing: 'success' | 'try-again' | 'lasting' | 'unsupported'
  /** What the carrier has to say beside the payload (`HTTP 503`, an envelope's error text). */
  readonly note: string
  /** When the endpoint asked to be left alone for so long. */
  readonly retryAfterMs: number | null
}

/** Calls to one endpoint, over one connection (or few) that is kept and opened anew when it is dead. */
export interface Carrier {
  /**
   * @param payload JSON of the method's request; `null` for health
   * @throws Error when there was no reply: no connection, cut off, too late, too long
   */
  call(method: ClientMethod, payload: Uint8Array, limits: CallLimits): Promise<CarrierReply>
  close(): Promise<void>
}

/**
 * Makes the carrier to one endpoint; it must not connect yet.
 * @throws ClientError `E_ENDPOINT` when the address is not one of its kind
 */
export type CarrierFactory = (endpoint: string) => Carrier

/** Which schemes a client can speak. */
export type Carriers = Readonly<Partial<Record<Scheme, CarrierFactory>>>
