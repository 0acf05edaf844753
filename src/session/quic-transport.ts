/** The session layer on QUIC: handshake on the first stream, then every stream sealed. */

import type { QuicComponents, QuicOptions } from '@chainsafe/libp2p-quic'
import type { Transport } from '@libp2p/interface'
import { unreachable } from '../types/assert.ts'
import type { Sessions } from './sessions.ts'

/** For `transports` of `createLibp2p`, in place of `quic()`. */
export function postQuantumQuic(
  _sessions: Sessions,
  _quic?: Partial<QuicOptions>,
): (components: QuicComponents) => Transport {
  return () => unreachable(undefined as never)
}
