/** What a peer with a valid session can do wrong with a stream, whatever the protocol. */

import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'

export type Crime = (stream: Stream, connection: Connection) => void | Promise<void>

/** Takes it that the stream may be cut in the middle, as it should be. */
function send(stream: Stream, bytes: Uint8Array): void {
  try {
    stream.send(bytes)
  } catch {
    // Cut.
  }
}

/** Length prefixes as our protocols have them (four bytes, little endian) and as libp2p's do (varint). */
const HUGE_U32 = Buffer.from('ffffffff', 'hex')
const HUGE_VARINT = Buffer.from('ffffffffffffffff7f', 'hex')

export const CRIMES: Readonly<Record<string, Crime>> = {
  garbage: (stream) => send(stream, randomBytes(64 * 1024)),
  'a frame of four gigabytes, announced': (stream) =>
    send(stream, Buffer.concat([HUGE_U32, randomBytes(4_096)])),
  'a frame of exabytes, announced': (stream) =>
    send(stream, Buffer.concat([HUGE_VARINT, randomBytes(4_096)])),
  'a frame of 16 MiB, sent': async (stream) => {
    const header = Buffer.alloc(4)
    header.writeUInt32LE(16 * 1024 * 1024)
    send(stream, header)
    for (let i = 0; i < 64 && stream.status === 'open'; i++) {
      send(stream, randomBytes(256 * 1024))
      await new Promise((resolve) => setImmediate(resolve))
    }
  },
  'half a frame, then the end': async (stream) => {
    send(stream, Buffer.from('e8030000aabbcc', 'hex'))
    await stream.close().catch(() => undefined)
  },
  'a reset at once': (stream) => stream.abort(new Error('reset')),
  'a reset after some bytes': (stream) => {
    send(stream, randomBytes(100))
    stream.abort(new Error('reset'))
  },
  'the connection lost': (stream, connection) => {
    send(stream, randomBytes(100))
    connection.abort(new Error('gone'))
  },
}
