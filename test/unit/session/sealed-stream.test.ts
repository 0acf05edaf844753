/** The sealed stream over a carrier under control: order, ends, cuts, pauses and back-pressure. */

import { randomBytes } from 'node:crypto'
import type { StreamCloseEvent } from '@libp2p/interface'
import { describe, expect, test, vi } from 'vitest'
import { FrameOpener } from '../../../src/session/frame-opener.ts'
import { FrameSealer } from '../../../src/session/frame-sealer.ts'
import { SessionError } from '../../../src/session/refusal.ts'
import { SealedStream } from '../../../src/session/sealed-stream.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeCarrier } from '../../support/session/fake-carrier.ts'
import { flip } from '../../support/session/handshake-pair.ts'

const secrets = { send: Buffer.alloc(32, 1), receive: Buffer.alloc(32, 2) }
const text = (word: string) => new TextEncoder().encode(word)

function setUp(
  options: { scope?: 'stream' | 'connection'; prologue?: Uint8Array; leftover?: Uint8Array } = {},
) {
  const { scope = 'stream', ...rest } = options
  const raw = new FakeCarrier()
  const cuts: string[] = []
  const sealed = new SealedStream({
    carrier: { scope, raw },
    secrets,
    framesPerKeyMax: 1_000,
    onCut: ({ code }) => cuts.push(code),
    ...rest,
  })
  const closes: StreamCloseEvent[] = []
  sealed.addEventListener('close', (event) => closes.push(event))
  return {
    raw,
    sealed,
    cuts,
    closes,
    /** What the other side has sealed for us. */
    remote: new FrameSealer(secrets.receive),
    /** What the other side makes of what we sent. */
    heard: () => new FrameOpener(secrets.send).open(raw.wire()),
  }
}

function listen(sealed: SealedStream): { text: () => string; ended: () => number } {
  const received: Uint8Array[] = []
  let ended = 0
  sealed.addEventListener('message', ({ data }) => received.push(data.subarray()))
  sealed.addEventListener('remoteCloseWrite', () => {
    ended += 1
  })
  return { text: () => Buffer.concat(received).toString(), ended: () => ended }
}

describe('what is sent', () => {
  test('is sealed, in order, and ends with the end frame before the carrier is closed', async () => {
    const { sealed, heard, raw } = setUp()
    sealed.send(text('hello '))
    sealed.send(text('world'))
    await sealed.close()
    expect(Buffer.from(heard().data.subarray()).toString()).toBe('hello world')
    expect(heard().ended).toBe(true)
    expect(raw.closedWrite).toBe(true)
    expect(() => sealed.send(text('more'))).toThrow()
  })

  test('starts with the prologue, once, even when there is nothing but an end', async () => {
    const { sealed, raw } = setUp({ prologue: text('PROLOGUE') })
    sealed.send(text('a'))
    sealed.send(text('b'))
    expect(raw.wire().indexOf('PROLOGUE')).toBe(0)
    expect(raw.wire().lastIndexOf('PROLOGUE')).toBe(0)
    const silent = setUp({ prologue: text('PROLOGUE') })
    await silent.sealed.close()
    expect(silent.raw.wire().byteLength).toBe(8 + 21)
  })

  test('waits while the carrier is full, and then leaves as one frame', async () => {
    const { sealed, raw, heard } = setUp()
    raw.takesMore = false
    expect(sealed.send(text('1'))).toBe(false)
    for (const word of ['2', '3', '4']) expect(sealed.send(text(word))).toBe(false)
    expect(raw.sent).toHaveLength(1)
    raw.takesMore = true
    raw.drain()
    await eventually(() => expect(raw.sent).toHaveLength(2))
    expect(Buffer.from(heard().data.subarray()).toString()).toBe('1234')
    expect(raw.sent[1]?.byteLength).toBe(3 + 21)
  })

  test('a whole connection gets its end frame, but is closed by libp2p', async () => {
    const { sealed, heard, raw } = setUp({ scope: 'connection' })
    await sealed.close()
    expect(heard().ended).toBe(true)
    expect(raw.closedWrite).toBe(false)
  })
})

describe('what is received', () => {
  test('is opened, frames of one chunk as one message', () => {
    const { sealed, raw, remote } = setUp()
    const messages = vi.fn()
    sealed.addEventListener('message', messages)
    raw.onData(Buffer.concat(['a', 'b', 'c'].map((word) => remote.seal(text(word)).subarray())))
    expect(messages).toHaveBeenCalledTimes(1)
  })

  test('includes what had arrived before the stream existed', async () => {
    const remote = new FrameSealer(secrets.receive)
    const first = remote.seal(text('early ')).subarray()
    const { sealed, raw } = setUp({ leftover: first })
    const received = listen(sealed)
    raw.onData(remote.seal(text('late')))
    await eventually(() => expect(received.text()).toBe('early late'))
  })

  test('ends once, by the end frame, and the stream can still be written', () => {
    const { sealed, raw, remote, cuts, heard } = setUp()
    const received = listen(sealed)
    raw.onData(Buffer.concat([remote.seal(text('bye')).subarray(), remote.sealEnd()]))
    raw.onRemoteCloseWrite()
    expect([received.text(), received.ended(), cuts]).toEqual(['bye', 1, []])
    sealed.send(text('answer'))
    expect(Buffer.from(heard().data.subarray()).toString()).toBe('answer')
  })

  test('both ends closed: the stream is closed without an error', async () => {
    const { sealed, raw, remote, closes } = setUp()
    listen(sealed)
    raw.onData(remote.sealEnd())
    raw.onRemoteCloseWrite()
    await sealed.close()
    expect(sealed.status).toBe('closed')
    expect(closes.map(({ error }) => error)).toEqual([undefined])
  })

  test.each<[string, (wire: Uint8Array) => Uint8Array, string]>([
    ['altered', (wire) => flip(wire, 10), 'frame-altered'],
    ['of an impossible length', () => Uint8Array.of(255, 255, 255, 255), 'frame-length'],
    ['twice the same', (wire) => Buffer.concat([wire, wire]), 'frame-altered'],
  ])('a frame that is %s cuts the stream and resets the carrier', (_, alter, code) => {
    const { sealed, raw, remote, cuts, closes } = setUp()
    listen(sealed)
    raw.onData(alter(remote.seal(text('word')).subarray()))
    expect(cuts).toEqual([code])
    expect(closes[0]?.error).toBeInstanceOf(SessionError)
    expect(closes[0]?.error).toMatchObject({ reason: code })
    expect([sealed.status, raw.resets]).toEqual(['aborted', 1])
    raw.onData(randomBytes(100))
    expect(cuts).toHaveLength(1)
  })
})

describe('truncation', () => {
  test.each(['in the middle of a frame', 'between frames', 'before the first byte'] as const)(
    'the carrier ends %s: an error, not an end',
    (where) => {
      const { sealed, raw, remote, cuts, closes } = setUp()
      const received = listen(sealed)
      const frame = remote.seal(text('word')).subarray()
      if (where === 'between frames') raw.onData(frame)
      if (where === 'in the middle of a frame') raw.onData(frame.subarray(0, 9))
      raw.onRemoteCloseWrite()
      expect(cuts).toEqual(['truncated'])
      expect(closes[0]?.error).toMatchObject({ reason: 'truncated' })
      expect(received.ended()).toBe(0)
    },
  )

  test('a connection that closes without an end frame', () => {
    const { sealed, raw, cuts, closes } = setUp({ scope: 'connection' })
    listen(sealed)
    raw.onTransportClosed()
    expect(cuts).toEqual(['truncated'])
    expect(closes).toHaveLength(1)
    expect(closes[0]?.error).toMatchObject({ reason: 'truncated' })
  })

  test('a connection that we have ended ourselves owes us nothing', async () => {
    const { sealed, raw, cuts, closes } = setUp({ scope: 'connection' })
    listen(sealed)
    await sealed.close()
    raw.onTransportClosed()
    expect(cuts).toEqual([])
    expect(closes.map(({ error }) => error)).toEqual([undefined])
  })

  test('a stream whose rest we do not want owes us nothing', async () => {
    const { sealed, raw, cuts } = setUp()
    listen(sealed)
    await sealed.closeRead()
    expect(raw.closedRead).toBe(true)
    raw.onRemoteCloseWrite()
    expect(cuts).toEqual([])
    expect(sealed.status).toBe('open')
  })

  test('a reset of the carrier is a reset of the stream', () => {
    const { sealed, raw, closes } = setUp()
    raw.onRemoteReset()
    expect(sealed.status).toBe('reset')
    expect(closes[0]?.error).toBeDefined()
  })

  test('an abort of the carrier is an abort of the stream, with its error', () => {
    const { raw, closes } = setUp()
    raw.abort(new Error('muxer closed'))
    expect(closes[0]?.error?.message).toBe('muxer closed')
  })

  test('our own abort resets the carrier', () => {
    const { sealed, raw } = setUp()
    sealed.abort(new Error('enough'))
    expect([raw.status, raw.resets]).toEqual(['aborted', 1])
  })
})

describe('a paused stream', () => {
  test('gets everything, and a clean end, after it is resumed', async () => {
    const { sealed, raw, remote, cuts, closes } = setUp()
    const received = listen(sealed)
    sealed.pause()
    raw.onData(Buffer.concat([remote.seal(text('later')).subarray(), remote.sealEnd()]))
    raw.onRemoteCloseWrite()
    expect([received.text(), cuts]).toEqual(['', []])
    sealed.resume()
    await eventually(() => expect([received.text(), received.ended()]).toEqual(['later', 1]))
    expect([cuts, closes]).toEqual([[], []])
  })

  test('learns of a truncation after it is resumed', async () => {
    const { sealed, raw, remote, cuts } = setUp()
    listen(sealed)
    sealed.pause()
    raw.onData(remote.seal(text('later')))
    raw.onRemoteCloseWrite()
    expect(cuts).toEqual([])
    sealed.resume()
    await eventually(() => expect(cuts).toEqual(['truncated']))
  })

  test('whose carrier closes meanwhile still gets what had arrived', async () => {
    const { sealed, raw, remote, cuts, closes } = setUp({ scope: 'connection' })
    const received = listen(sealed)
    sealed.pause()
    raw.onData(Buffer.concat([remote.seal(text('later')).subarray(), remote.sealEnd()]))
    raw.onTransportClosed()
    expect(closes).toEqual([])
    sealed.resume()
    await eventually(() => expect(received.text()).toBe('later'))
    expect(cuts).toEqual([])
    expect(closes.map(({ error }) => error)).toEqual([undefined])
  })
})
