/** The sealing muxer over a carrier muxer under control: whose stream is whose, counters, early streams. */

import { type Stream, type StreamMuxer, type StreamMuxerEvents, TypedEventEmitter } from '@libp2p/interface'
import { describe, expect, test } from 'vitest'
import { FrameOpener } from '../../../src/session/frame-opener.ts'
import { FrameSealer } from '../../../src/session/frame-sealer.ts'
import { type SessionRole, streamSecrets } from '../../../src/session/key-schedule.ts'
import { SealedMuxer } from '../../../src/session/sealed-muxer.ts'
import type { SealedStream } from '../../../src/session/sealed-stream.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeCarrier } from '../../support/session/fake-carrier.ts'

const secret = Buffer.alloc(32, 3)

class FakeMuxer extends TypedEventEmitter<StreamMuxerEvents> implements StreamMuxer {
  readonly protocol = 'fake'
  readonly streams: Stream[] = []
  readonly opened: FakeCarrier[] = []
  status = 'open' as const
  closed = 0

  async createStream(): Promise<Stream> {
    const raw = new FakeCarrier('outbound')
    this.opened.push(raw)
    return raw
  }
  /** A stream that the remote opens, with its first bytes. */
  arrive(bytes?: Uint8Array): FakeCarrier {
    const raw = new FakeCarrier('inbound')
    this.safeDispatchEvent('stream', { detail: raw })
    if (bytes !== undefined) raw.onData(bytes)
    return raw
  }
  abort(): void {}
  async close(): Promise<void> {
    this.closed += 1
  }
}

function setUp(role: SessionRole, counterDeadlineMs = 5_000) {
  const inner = new FakeMuxer()
  const cuts: string[] = []
  const onCut = ({ code }: { code: string }) => cuts.push(code)
  const muxer = new SealedMuxer({ inner, role, framesPerKeyMax: 100, counterDeadlineMs, onCut })
  const announced: SealedStream[] = []
  const listen = () => muxer.addEventListener('stream', ({ detail }) => announced.push(detail))
  return { inner, muxer, cuts, announced, listen }
}

/** The first bytes of a stream that `opener` opens with that counter and that text. */
function opening(opener: SessionRole, counter: bigint, word: string): Uint8Array {
  const prologue = Buffer.alloc(8)
  prologue.writeBigUInt64BE(counter)
  const { send } = streamSecrets(secret, opener, opener, counter)
  return Buffer.concat([prologue, new FrameSealer(send).seal(Buffer.from(word)).subarray()])
}

async function heardOn(stream: SealedStream | undefined): Promise<string> {
  const parts: Uint8Array[] = []
  stream?.addEventListener('message', ({ data }) => parts.push(data.subarray()))
  await eventually(() => expect(parts.length).toBeGreaterThan(0))
  return Buffer.concat(parts).toString()
}

test('every stream that we open has a counter and keys of its own', async () => {
  const { muxer, inner } = setUp('initiator')
  muxer.unlock(secret)
  for (const word of ['zero', 'one']) (await muxer.createStream()).send(Buffer.from(word))
  const wires = inner.opened.map((raw) => raw.wire())
  expect(wires.map((wire) => wire.readBigUInt64BE(0))).toEqual([0n, 1n])
  const heard = wires.map((wire, counter) => {
    const { receive } = streamSecrets(secret, 'responder', 'initiator', BigInt(counter))
    return Buffer.from(new FrameOpener(receive).open(wire.subarray(8)).data.subarray()).toString()
  })
  expect(heard).toEqual(['zero', 'one'])
  expect(muxer.streams).toHaveLength(2)
})

describe('a stream that the remote opens', () => {
  test('is announced with its first bytes, also when they come in pieces or out of order', async () => {
    const { muxer, inner, announced, listen } = setUp('initiator')
    muxer.unlock(secret)
    listen()
    await Promise.resolve()
    inner.arrive(opening('responder', 1n, 'second'))
    const late = inner.arrive()
    const bytes = opening('responder', 0n, 'first')
    late.onData(bytes.subarray(0, 3))
    expect(announced).toHaveLength(1)
    late.onData(bytes.subarray(3, 8))
    expect(announced).toHaveLength(2)
    late.onData(bytes.subarray(8))
    expect([await heardOn(announced[0]), await heardOn(announced[1])]).toEqual(['second', 'first'])
  })

  test.each<[string, bigint[], number]>([
    ['seen before', [4n, 4n], 1],
    ['too old', [5_000n, 3n], 1],
    ['impossible', [2n ** 63n], 0],
  ])('whose counter is %s is refused', async (_, counters, accepted) => {
    const { muxer, inner, announced, listen, cuts } = setUp('initiator')
    muxer.unlock(secret)
    listen()
    await Promise.resolve()
    const carriers = counters.map((counter) => inner.arrive(opening('responder', counter, 'x')))
    expect(announced).toHaveLength(accepted)
    expect(carriers.at(-1)?.status).toBe('aborted')
    expect(cuts).toEqual(['stream-counter'])
  })

  test('sealed for another counter, opener or session is cut', async () => {
    const { muxer, inner, announced, listen, cuts } = setUp('initiator')
    muxer.unlock(secret)
    listen()
    await Promise.resolve()
    const moved = Buffer.from(opening('responder', 7n, 'x'))
    moved.writeBigUInt64BE(8n)
    inner.arrive(moved)
    inner.arrive(opening('initiator', 9n, 'reflected'))
    expect(announced.map(({ status }) => status)).toEqual([])
    expect(cuts).toEqual(['frame-altered', 'frame-altered'])
    expect(muxer.streams).toEqual([])
  })

  test('and then says nothing is refused at the deadline', async () => {
    const { muxer, inner, announced, listen, cuts } = setUp('initiator', 20)
    muxer.unlock(secret)
    listen()
    await Promise.resolve()
    const raw = inner.arrive(Uint8Array.of(0, 0, 0))
    await eventually(() => expect(raw.status).toBe('aborted'))
    expect([announced, cuts]).toEqual([[], ['stream-counter']])
  })
})

describe('before the session, or before libp2p listens', () => {
  test('streams wait, in order', async () => {
    const { muxer, inner, announced, listen } = setUp('initiator')
    inner.arrive(opening('responder', 0n, 'first'))
    muxer.unlock(secret)
    inner.arrive(opening('responder', 1n, 'second'))
    expect(announced).toEqual([])
    listen()
    await eventually(() => expect(announced).toHaveLength(2))
    expect([await heardOn(announced[0]), await heardOn(announced[1])]).toEqual(['first', 'second'])
  })

  test('not more than 64 of them', () => {
    const { inner, cuts } = setUp('initiator')
    const carriers = Array.from({ length: 66 }, () => inner.arrive())
    expect(carriers.map(({ status }) => status).filter((status) => status === 'aborted')).toHaveLength(2)
    expect(cuts).toEqual(['too-many-streams', 'too-many-streams'])
  })

  test('and none with more than it may hold', () => {
    const { inner } = setUp('initiator')
    const raw = inner.arrive(new Uint8Array(300 * 1024))
    expect(raw.status).toBe('aborted')
  })
})

describe('the handshake stream', () => {
  test('is the first that the initiator opens, and is no sealed stream', async () => {
    const responder = setUp('responder')
    responder.listen()
    const raw = responder.inner.arrive()
    expect(await responder.muxer.handshakeStream(new AbortController().signal)).toEqual({
      ok: true,
      value: raw,
    })
    const initiator = setUp('initiator')
    const opened = await initiator.muxer.handshakeStream(new AbortController().signal)
    expect(opened.ok && opened.value).toBe(initiator.inner.opened[0])
    expect([responder.announced, responder.muxer.streams, initiator.muxer.streams]).toEqual([[], [], []])
  })

  test('is waited for until the deadline only', async () => {
    const { muxer } = setUp('responder')
    expect(await muxer.handshakeStream(AbortSignal.abort())).toMatchObject({ ok: false, code: 'too-slow' })
  })
})

test('closing sends the end frames before the carrier is closed', async () => {
  const { muxer, inner } = setUp('initiator')
  muxer.unlock(secret)
  await muxer.createStream()
  await muxer.close()
  const { receive } = streamSecrets(secret, 'responder', 'initiator', 0n)
  expect(new FrameOpener(receive).open(inner.opened[0]?.wire().subarray(8) ?? new Uint8Array()).ended).toBe(
    true,
  )
  expect(inner.closed).toBe(1)
})
