/**
 * One system call per encrypted packet instead of two. Noise hands the socket each packet's length and body
 * as two buffers, and libp2p-tcp writes each buffer by itself; here they are joined on the way down.
 */

import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { leanStream } from '../session/lean-stream.ts'

/** Larger writes are left in pieces: there the copy costs more than the call. */
const JOIN_BYTES_MAX = 64 * 1024

/** Wraps an encrypter for `connectionEncrypters`; the bytes on the wire are the same. */
export function leanEncrypter<Components>(
  create: (components: Components) => ConnectionEncrypter,
): (components: Components) => ConnectionEncrypter {
  return (components) => {
    const inner = create(components)
    return {
      protocol: inner.protocol,
      secureInbound: async (connection, options) => inner.secureInbound(joinWrites(connection), options),
      secureOutbound: async (connection, options) => inner.secureOutbound(joinWrites(connection), options),
    }
  }
}

function joinWrites<Carrier extends MessageStream>(connection: Carrier): Carrier {
  leanStream(connection)
  const send = connection.send.bind(connection)
  connection.send = (data) =>
    send(data instanceof Uint8Array || data.byteLength > JOIN_BYTES_MAX ? data : data.subarray())
  return connection
}
