/** The short ways of a stream: in every situation the same bytes, answers and events as without them. */

import { StreamMessageEvent } from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it, vi } from 'vitest'
import { leanStream } from '../../../src/session/lean-stream.ts'
import { silent } from '../../support/session/fake-carrier.ts'

const text = (data: Uint8Array | Uint8ArrayList): string => Buffer.from(data.subarray()).toString()
const bytes = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

/** Writes down what leaves it and what it tells. */
class TracedStream extends AbstractStream {
  readonly trace: string[] = []
  /** Bytes that the carrier takes at once. */
  room = Number.POSITIVE_INFINITY
  onSend: () => void = () => undefined

  constructor(maxMessageSize?: number) {
    super({ id: 'traced', log: silent, ...(maxMessageSize === undefined ? {} : { maxMessageSize }) })
  }

  get held(): string {
    return `${text(this.readBuffer)}|${text(this.writeBuffer)}`
  }

  listen(types: readonly ('drain' | 'idle' | 'end' | 'close' | 'remoteCloseWrite')[]): void {
    for (const type of types) this.addEventListener(type, () => this.trace.push(type))
  }

  sendData(data: Uint8ArrayList): SendResult {
    this.onSend()
    const sent = data.sublist(0, Math.min(this.room, data.byteLength))
    this.trace.push(`sent ${text(sent)}`)
    // As yamux does: the list is the stream's own.
    data.consume(sent.byteLength)
    return { sentBytes: sent.byteLength, canSendMore: data.byteLength === 0 }
  }

  sendReset(): void {
    this.trace.push('reset')
  }

  sendPause(): void {}
  sendResume(): void {}
  async sendCloseWrite(): Promise<void> {}
  async sendCloseRead(): Promise<void> {}
}

type Story = (stream: TracedStream) => void | Promise<void>

function tell(stream: TracedStream, what: string, run: () => unknown): void {
  try {
    stream.trace.push(`${what}: ${run()}`)
  } catch (error) {
    stream.trace.push(`${what} threw ${(error as Error).message}`)
  }
}

const hear = (stream: TracedStream): void =>
  stream.addEventListener('message', ({ data }) => stream.trace.push(`heard ${text(data)}`))

const STORIES: Record<string, Story> = {
  'a message in': (stream) => {
    hear(stream)
    stream.onData(bytes('one'))
    stream.onData(new Uint8ArrayList(bytes('tw'), bytes('o')))
    stream.onData(new Uint8Array(0))
  },
  'a message before anybody listens': async (stream) => {
    stream.onData(bytes('early'))
    hear(stream)
    await Promise.resolve()
    stream.onData(bytes('late'))
  },
  'a paused reader': (stream) => {
    hear(stream)
    stream.pause()
    stream.onData(bytes('one'))
    stream.onData(bytes('two'))
    stream.resume()
    stream.onData(bytes('three'))
  },
  'two listeners, then one': (stream) => {
    const second = ({ data }: { data: Uint8Array | Uint8ArrayList }): void => {
      stream.trace.push(`second ${text(data)}`)
    }
    hear(stream)
    stream.addEventListener('message', second)
    stream.onData(bytes('both'))
    stream.removeEventListener('message', second)
    stream.onData(bytes('one'))
  },
  'a listener for one message': (stream) => {
    stream.addEventListener('message', ({ data }) => stream.trace.push(text(data)), { once: true })
    stream.onData(bytes('one'))
    stream.onData(bytes('two'))
  },
  'a listener twice': (stream) => {
    const listener = (): void => void stream.trace.push('heard')
    stream.addEventListener('message', listener)
    stream.addEventListener('message', listener)
    stream.onData(bytes('one'))
    stream.removeEventListener('message', listener)
    stream.onData(bytes('two'))
  },
  'a message in while one is read': (stream) => {
    let nested = false
    stream.addEventListener('message', ({ data }) => {
      stream.trace.push(`begin ${text(data)}`)
      if (!nested) {
        nested = true
        stream.onData(bytes('inner'))
      }
      stream.trace.push(`end ${text(data)}`)
    })
    stream.onData(bytes('outer'))
  },
  'the end while the last message is read': (stream) => {
    stream.listen(['end', 'remoteCloseWrite', 'close'])
    stream.addEventListener('message', () => stream.onRemoteCloseWrite())
    stream.onData(bytes('last'))
    stream.onData(bytes('too late'))
  },
  'a reset, then a message': (stream) => {
    stream.listen(['end', 'close'])
    hear(stream)
    stream.onRemoteReset()
    stream.onData(bytes('too late'))
  },
  'a message out': (stream) => {
    stream.listen(['idle'])
    tell(stream, 'one', () => stream.send(bytes('one')))
    const list = new Uint8ArrayList(bytes('tw'), bytes('o'))
    tell(stream, 'two', () => stream.send(list))
    stream.trace.push(`the list is still ${text(list)}`)
    tell(stream, 'nothing', () => stream.send(new Uint8Array(0)))
  },
  'a carrier that takes a part': async (stream) => {
    stream.listen(['idle', 'drain'])
    stream.room = 2
    tell(stream, 'one', () => stream.send(bytes('abcde')))
    tell(stream, 'two', () => stream.send(bytes('fg')))
    stream.room = 100
    stream.dispatchEvent(new Event('drain'))
    await Promise.resolve()
    tell(stream, 'three', () => stream.send(bytes('h')))
  },
  'a message out while one is sent': (stream) => {
    let nested = false
    stream.listen(['idle'])
    stream.onSend = () => {
      if (nested) return
      nested = true
      tell(stream, 'inner', () => stream.send(bytes('inner')))
    }
    tell(stream, 'outer', () => stream.send(bytes('outer')))
  },
  'a carrier that fails': (stream) => {
    stream.listen(['idle', 'close'])
    stream.onSend = () => {
      throw new Error('broken')
    }
    tell(stream, 'one', () => stream.send(bytes('one')))
    tell(stream, 'two', () => stream.send(bytes('two')))
  },
  'a closed writer': async (stream) => {
    await stream.close()
    tell(stream, 'one', () => stream.send(bytes('one')))
  },
  'a close that waits for the carrier': async (stream) => {
    stream.room = 1
    tell(stream, 'one', () => stream.send(bytes('abc')))
    const closed = stream.close()
    stream.room = 100
    stream.dispatchEvent(new Event('drain'))
    await closed
    stream.trace.push(stream.writeStatus)
  },
}

async function traceOf(stream: TracedStream, story: Story): Promise<string[]> {
  await story(stream)
  const { held, status, readStatus, writeStatus, writableNeedsDrain } = stream
  return [...stream.trace, held, status, readStatus, writeStatus, String(writableNeedsDrain)]
}

describe.each([undefined, 4])('messages of at most %s bytes', (maxMessageSize) => {
  it.each(Object.entries(STORIES))('%s', async (_name, story) => {
    const lean = new TracedStream(maxMessageSize)
    leanStream(lean)
    const expected = await traceOf(new TracedStream(maxMessageSize), story)
    expect(await traceOf(lean, story)).toEqual(expected)
  })
})

it('makes no event for which nobody listens, and dispatches none for one listener', () => {
  const stream = new TracedStream()
  leanStream(stream)
  hear(stream)
  const dispatched = vi.spyOn(stream, 'dispatchEvent')
  stream.onData(bytes('one'))
  stream.send(bytes('two'))
  expect(dispatched).not.toHaveBeenCalled()
  expect(stream.trace).toEqual(['heard one', 'sent two'])
})

it('an error of the listener ends nobody who delivers: it is thrown by itself, as by an event target', () => {
  const stream = new TracedStream()
  leanStream(stream)
  const thrown: unknown[] = []
  const later = vi.spyOn(process, 'nextTick').mockImplementation((run) => {
    try {
      run()
    } catch (error) {
      thrown.push(error)
    }
  })
  try {
    const broken = new Error('a bug')
    stream.addEventListener('message', () => {
      throw broken
    })
    stream.onData(bytes('one'))
    expect(thrown).toEqual([broken])
  } finally {
    later.mockRestore()
  }
})

it('the listener is given the event of the library', () => {
  const stream = new TracedStream()
  leanStream(stream)
  const events: unknown[] = []
  stream.addEventListener('message', (event) => events.push(event))
  stream.onData(bytes('one'))
  expect(events[0]).toBeInstanceOf(StreamMessageEvent)
})
