/**
 * Yamux with fewer window updates. The library answers every data frame with one, which on small messages
 * doubles the frames, the sealing and the system calls; here a window is refilled when half of it is used, as
 * other implementations do. Nothing changes on the wire but how often.
 */

import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import { leanStream } from '../session/lean-stream.ts'

/** The parts of the pinned library's stream (@libp2p/yamux 8.0.3, stream.ts) that this touches. */
interface YamuxStreamParts {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** The part of its muxer (@libp2p/utils, abstract-stream-muxer.ts). */
interface YamuxMuxerParts {
  onRemoteStream?: (stream: Stream) => void
}

/** `StreamState.Established` of the library: nothing but data is due, no flag waits for a frame to ride on. */
const ESTABLISHED = 3

/** For `streamMuxers` of `createLibp2p`, in place of `yamux()`. */
export function leanYamux(init?: YamuxMuxerInit): () => StreamMuxerFactory {
  const inner = yamux(init)
  return () => {
    const factory = inner()
    return {
      protocol: factory.protocol,
      createStreamMuxer: (connection) => lean(factory.createStreamMuxer(connection)),
    }
  }
}

function lean(muxer: StreamMuxer): StreamMuxer {
  const create = muxer.createStream.bind(muxer)
  muxer.createStream = async (options) => {
    const stream = await create(options)
    refillByHalves(stream)
    leanStream(stream)
    return stream
  }
  // Not by a listener: as long as nobody listens, the library keeps streams that come early.
  const parts = muxer as StreamMuxer & YamuxMuxerParts
  const onRemoteStream = parts.onRemoteStream?.bind(parts)
  if (onRemoteStream !== undefined) {
    parts.onRemoteStream = (stream) => {
      refillByHalves(stream)
      leanStream(stream)
      onRemoteStream(stream)
    }
  }
  return muxer
}

function refillByHalves(stream: Stream): void {
  if (!isYamuxStream(stream)) return
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    // The sender is never stuck: before its window is empty, a frame of its has taken ours below half.
    if (stream.state === ESTABLISHED && stream.recvWindowCapacity > stream.recvWindow / 2) return
    update()
  }
}

/** Another version of the library may look different; then it runs as it is. */
function isYamuxStream(stream: object): stream is YamuxStreamParts {
  const parts = stream as Partial<YamuxStreamParts>
  return (
    typeof parts.sendWindowUpdate === 'function' &&
    typeof parts.recvWindow === 'number' &&
    typeof parts.recvWindowCapacity === 'number' &&
    typeof parts.state === 'number'
  )
}
