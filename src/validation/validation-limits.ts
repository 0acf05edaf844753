/** Bounds of the validation service: how many calls, and how long each may wait. */

/** Bounds of the service. */
export interface ValidationLimits {
  /** How long a caller waits for a verdict. Well under 10 s, the shortest patience of the known clients. */
  readonly deadlineMs: number
  /** Requests under way at once through this node, and calls that wait for them. */
  readonly requestsInFlightMax: number
  /** Of those, of one client; one on this machine may have them all. */
  readonly requestsPerClientMax: number
  /** How long a request without a verdict is Pending for a status call. */
  readonly pendingKeptMs: number
}

export const DEFAULT_VALIDATION_LIMITS: ValidationLimits = {
  deadlineMs: 8_000,
  requestsInFlightMax: 16_384,
  requestsPerClientMax: 4_096,
  pendingKeptMs: 120_000,
}

/** What a caller may ask for as its deadline. The longest is below the 30 s after which clients give up. */
export const CALL_DEADLINE_MIN_MS = 100
export const CALL_DEADLINE_MAX_MS = 20_000

/** How soon it is worth trying again when there is no room: verdicts take well under a second. */
export const RETRY_AFTER_MS = 1_000
