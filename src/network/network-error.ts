/** What the network layer reports when the world fails it. What a remote did wrong is a value or a count. */

import { type ErrorAdvice, NodeError } from '../types/errors.ts'

/** EX_UNAVAILABLE: "a port is taken, nobody answers" in the table of exit codes. */
const EXIT_NETWORK = 69

/** Stable codes of this layer. */
export type NetworkErrorCode =
  /** Another process listens there. */
  | 'E_PORT_IN_USE'
  /** Not a multiaddr. */
  | 'E_ADDR_FORM'
  /** A multiaddr of a transport that this node does not speak. */
  | 'E_ADDR_TRANSPORT'
  /** No interface of this machine has the address. */
  | 'E_ADDR_UNAVAILABLE'
  /** The port needs rights that the process lacks. */
  | 'E_PORT_DENIED'
  /** A bootstrap entry names no peer id, or another one answered there. */
  | 'E_BOOTSTRAP_ID'
  /** Listening failed for another reason; the cause says which. */
  | 'E_LISTEN'

/** A failure of the network layer. */
export class NetworkError extends NodeError {
  declare readonly code: NetworkErrorCode

  constructor(
    code: NetworkErrorCode,
    what: string,
    options: ErrorAdvice & { exitCode?: number; cause?: unknown } = {},
  ) {
    super(code, what, { exitCode: EXIT_NETWORK, ...options })
  }
}
