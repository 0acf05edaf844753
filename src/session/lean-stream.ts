/**
 * The library's streams without what a small message does not need on its way through four of them: an event is
 * built and dispatched for nobody, a message goes through two lists before it is sent and two before it is handed on.
 * As soon as anything waits (a paused reader, a full carrier, nobody who listens) the library does it all.
 */

import { type EventHandler, type MessageStream, StreamMessageEvent } from '@libp2p/interface'
import type { SendResult } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'

type Chunk = Uint8Array | Uint8ArrayList
type OnMessage = (event: StreamMessageEvent) => void

/** The parts of the pinned library's stream (@libp2p/utils 7.4.1, abstract-message-stream.ts) that this touches. */
interface StreamParts {
  readonly readBuffer: Uint8ArrayList
  readonly writeBuffer: Uint8ArrayList
  readonly readStatus: string
  readonly writeStatus: string
  readonly remoteWriteStatus: string
  readonly maxMessageSize?: number
  writableNeedsDrain: boolean
  sendingData: boolean
  send(data: Chunk): boolean
  onData(data: Chunk): void
  sendData(data: Uint8ArrayList): SendResult
  processSendQueue(): boolean
  dispatchReadBuffer(): void
  checkWriteBufferLength(): void
  abort(error: Error): void
  listenerCount(type: string): number
  safeDispatchEvent(type: string, detail?: object): boolean
  addEventListener(type: string, listener: unknown, options?: unknown): void
  removeEventListener(type: string, listener: unknown, options?: unknown): void
}

/** Takes the short ways from here on. Call it before anybody listens to the stream. */
export function leanStream(stream: MessageStream): void {
  const parts: unknown = stream
  if (!isAbstractMessageStream(parts)) return
  withoutUnheardEvents(parts)
  withDirectMessages(parts)
  withDirectSends(parts)
}

function withoutUnheardEvents(stream: StreamParts): void {
  const dispatch = stream.safeDispatchEvent.bind(stream)
  stream.safeDispatchEvent = (type, detail) => stream.listenerCount(type) === 0 || dispatch(type, detail)
}

function withDirectMessages(stream: StreamParts): void {
  const listeners: OnMessage[] = []
  const add = stream.addEventListener.bind(stream)
  const remove = stream.removeEventListener.bind(stream)
  const onData = stream.onData.bind(stream)
  stream.addEventListener = (type, listener, options) => {
    if (
      type === 'message' &&
      options === undefined &&
      isFunction(listener) &&
      !listeners.includes(listener)
    ) {
      listeners.push(listener)
    }
    add(type, listener, options)
  }
  stream.removeEventListener = (type, listener, options) => {
    const at = type === 'message' ? listeners.indexOf(listener as OnMessage) : -1
    if (at !== -1) listeners.splice(at, 1)
    remove(type, listener, options)
  }
  stream.onData = (data) => {
    const isDirect =
      data.byteLength > 0 &&
      stream.readStatus === 'readable' &&
      stream.remoteWriteStatus === 'writable' &&
      stream.readBuffer.byteLength === 0 &&
      listeners.length === 1 &&
      stream.listenerCount('message') === 1
    const [listener] = listeners
    if (!isDirect || listener === undefined) {
      onData(data)
      return
    }
    const list = data instanceof Uint8Array ? new Uint8ArrayList(data) : data
    try {
      listener(new StreamMessageEvent(list))
    } catch (error) {
      // As an event target does it: whoever delivers has no part in what the listener made of it.
      process.nextTick(() => {
        throw error
      })
    }
    // The other side may have ended meanwhile; then this was the last of it.
    if (stream.remoteWriteStatus !== 'writable') stream.dispatchReadBuffer()
  }
}

function withDirectSends(stream: StreamParts): void {
  const send = stream.send.bind(stream)
  stream.send = (data) => {
    const isDirect =
      stream.writeStatus === 'writable' &&
      !stream.writableNeedsDrain &&
      !stream.sendingData &&
      stream.writeBuffer.byteLength === 0 &&
      data.byteLength > 0 &&
      (stream.maxMessageSize === undefined || data.byteLength <= stream.maxMessageSize)
    if (!isDirect) return send(data)
    const { sentBytes, canSendMore } = sendAtOnce(stream, data)
    if (sentBytes < data.byteLength) {
      const rest = new Uint8ArrayList(data)
      rest.consume(sentBytes)
      stream.writeBuffer.prepend(rest)
    }
    if (!canSendMore) {
      stream.writableNeedsDrain = true
      stream.checkWriteBufferLength()
    } else if (stream.writeBuffer.byteLength > 0) {
      return stream.processSendQueue()
    }
    if (stream.writeBuffer.byteLength === 0) stream.safeDispatchEvent('idle')
    return canSendMore
  }
}

function sendAtOnce(stream: StreamParts, data: Chunk): SendResult {
  stream.sendingData = true
  try {
    // The stream takes away what it sends, and the list is the caller's.
    return stream.sendData(new Uint8ArrayList(data))
  } catch (error) {
    stream.writeBuffer.prepend(data)
    stream.abort(error as Error)
    throw error
  } finally {
    stream.sendingData = false
  }
}

function isFunction(listener: unknown): listener is OnMessage & EventHandler<StreamMessageEvent> {
  return typeof listener === 'function'
}

/** Another version of the library may look different; then it runs as it is. */
function isAbstractMessageStream(stream: unknown): stream is StreamParts {
  const parts = stream as Partial<StreamParts>
  const functions = [
    parts.send,
    parts.onData,
    parts.sendData,
    parts.processSendQueue,
    parts.dispatchReadBuffer,
    parts.checkWriteBufferLength,
    parts.abort,
    parts.listenerCount,
    parts.safeDispatchEvent,
    parts.addEventListener,
    parts.removeEventListener,
  ]
  return (
    functions.every((part) => typeof part === 'function') &&
    parts.readBuffer instanceof Uint8ArrayList &&
    parts.writeBuffer instanceof Uint8ArrayList &&
    typeof parts.sendingData === 'boolean' &&
    typeof parts.writableNeedsDrain === 'boolean'
  )
}
