/** Sealed frames: what goes in comes out, cut anywhere; what was altered, moved or left out does not. */

import { randomBytes } from 'node:crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { FRAME_BODY_BYTES_MAX, FRAME_DATA_BYTES_MAX } from '../../../src/session/frame-format.ts'
import { FrameOpener } from '../../../src/session/frame-opener.ts'
import { FrameSealer } from '../../../src/session/frame-sealer.ts'
import { InvariantViolation } from '../../../src/types/assert.ts'
import { flip } from '../../support/session/handshake-pair.ts'

const secret = Buffer.alloc(32, 9)
const pair = (framesPerKey?: number) =>
  [new FrameSealer(secret, framesPerKey), new FrameOpener(secret, framesPerKey)] as const
const plain = ({ data }: { data: Uint8ArrayList }) => Buffer.from(data.subarray())
const text = (word: string) => new TextEncoder().encode(word)

describe('round trip', () => {
  test.each([
    1,
    2,
    100,
    4_096,
    FRAME_DATA_BYTES_MAX - 1,
    FRAME_DATA_BYTES_MAX,
    FRAME_DATA_BYTES_MAX + 1,
    300_000,
  ])('%i bytes, in as few frames as hold them', (bytes) => {
    const [sealer, opener] = pair()
    const data = randomBytes(bytes)
    const sealed = sealer.seal(data)
    const frames = Math.ceil(bytes / FRAME_DATA_BYTES_MAX)
    expect(sealed.byteLength).toBe(bytes + frames * 21)
    const opened = opener.open(sealed)
    expect(opened.refusal).toBeUndefined()
    expect(opened.ended).toBe(false)
    expect(Buffer.compare(plain(opened), data)).toBe(0)
    expect(opener.betweenFrames).toBe(true)
  })

  test('the largest frame is the largest plaintext of one Noise message', () => {
    expect(new FrameSealer(secret).seal(new Uint8Array(FRAME_DATA_BYTES_MAX)).byteLength).toBe(65_535 - 16)
  })

  test('a list of parts, empty ones among them', () => {
    const [sealer, opener] = pair()
    const list = new Uint8ArrayList(text('a'), new Uint8Array(0), randomBytes(70_000), text('z'))
    expect(Buffer.compare(plain(opener.open(sealer.seal(list))), list.subarray())).toBe(0)
  })

  test('empty data makes no frame', () => {
    expect(new FrameSealer(secret).seal(new Uint8Array(0)).byteLength).toBe(0)
    expect(new FrameSealer(secret).seal(new Uint8ArrayList()).byteLength).toBe(0)
  })

  test.each([1, 2, 3, 4, 5, 20, 21, 22, 23, 64])('delivered in chunks of %i bytes', (size) => {
    const [sealer, opener] = pair()
    const data = randomBytes(500)
    const wire = Buffer.concat([
      sealer.seal(data.subarray(0, 200)).subarray(),
      sealer.seal(data.subarray(200)).subarray(),
      sealer.sealEnd(),
    ])
    const received: Buffer[] = []
    let ended = false
    for (let at = 0; at < wire.byteLength; at += size) {
      const opened = opener.open(wire.subarray(at, at + size))
      expect(opened.refusal).toBeUndefined()
      received.push(plain(opened))
      ended = opened.ended
    }
    expect(Buffer.compare(Buffer.concat(received), data)).toBe(0)
    expect(ended).toBe(true)
  })

  test('the sealer keeps nothing of the data that it was given', () => {
    const [sealer, opener] = pair()
    const data = text('hello')
    const sealed = sealer.seal(data)
    data.fill(0)
    expect(plain(opener.open(sealed)).toString()).toBe('hello')
  })
})

describe('the ratchet', () => {
  test.each([1, 2, 3])('turns every %i frames, on both sides alike', (framesPerKey) => {
    const [sealer, opener] = pair(framesPerKey)
    for (let frame = 0; frame < 10; frame += 1) {
      expect(plain(opener.open(sealer.seal(text(`frame ${frame}`)))).toString()).toBe(`frame ${frame}`)
    }
    expect(opener.open(sealer.sealEnd()).ended).toBe(true)
  })

  test('changes the bytes of equal frames, and sides that turn at different times part', () => {
    const frames = (framesPerKey: number) => {
      const sealer = new FrameSealer(secret, framesPerKey)
      return [0, 1, 2].map(() => Buffer.from(sealer.seal(text('same')).subarray()).toString('hex'))
    }
    expect(frames(1)[0]).toBe(frames(2)[0])
    expect(frames(1)[1]).not.toBe(frames(2)[1])
    const opener = new FrameOpener(secret, 2)
    const sealer = new FrameSealer(secret, 1)
    opener.open(sealer.seal(text('a')))
    expect(opener.open(sealer.seal(text('b'))).refusal?.code).toBe('frame-altered')
  })

  test.each([0, -1, 1 << 24])('may not turn after %i frames', (framesPerKey) => {
    expect(() => new FrameSealer(secret, framesPerKey)).toThrow(InvariantViolation)
  })
})

describe('refusals', () => {
  const [sealer] = pair()
  const first = sealer.seal(text('first')).subarray()
  const second = sealer.seal(text('second')).subarray()
  const end = sealer.sealEnd()

  test('every altered byte of a frame', () => {
    for (let at = 0; at < first.byteLength; at += 1) {
      const opened = new FrameOpener(secret).open(Buffer.concat([flip(first, at), second]))
      expect(opened.data.byteLength, `byte ${at}`).toBe(0)
      // A longer length takes in the next frame, or waits; one out of bounds is refused at once.
      if (opened.refusal !== undefined)
        expect(['frame-altered', 'frame-length']).toContain(opened.refusal.code)
      else expect(at).toBeLessThan(4)
    }
  })

  test.each<[string, Uint8Array[], string, string]>([
    ['a repeated frame', [first, first], 'first', 'frame-altered'],
    ['a frame left out', [second], '', 'frame-altered'],
    ['frames in another order', [second, first], '', 'frame-altered'],
    ['an end too early', [first, end], 'first', 'frame-altered'],
    ['anything behind the end', [first, second, end, Uint8Array.of(0)], 'firstsecond', 'frame-after-end'],
    ['a second end', [first, second, end, end], 'firstsecond', 'frame-after-end'],
    ['a length of 0', [Uint8Array.of(0, 0, 0, 0, 1)], '', 'frame-length'],
    ['a length of 16', [Uint8Array.of(0, 0, 0, 16, 1)], '', 'frame-length'],
    ['a length one above the bound', [length(FRAME_BODY_BYTES_MAX + 1)], '', 'frame-length'],
    ['the largest length there is', [length(0xffff_ffff)], '', 'frame-length'],
    ['a plain yamux ping', [Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)], '', 'frame-length'],
    ['random bytes of a possible length', [length(40), randomBytes(40)], '', 'frame-altered'],
    [
      'a frame of the other direction',
      [new FrameSealer(Buffer.alloc(32, 8)).seal(text('x')).subarray()],
      '',
      'frame-altered',
    ],
  ])('%s', (_, frames, delivered, code) => {
    const opened = new FrameOpener(secret).open(Buffer.concat(frames))
    expect(plain(opened).toString()).toBe(delivered)
    expect(opened.refusal?.code).toBe(code)
  })

  test('after a refusal nothing more is opened', () => {
    const opener = new FrameOpener(secret)
    opener.open(flip(first, 10))
    const opened = opener.open(Buffer.concat([first, second, end]))
    expect(opened.data.byteLength).toBe(0)
    expect(opened.ended).toBe(false)
    expect(opened.refusal?.code).toBe('frame-altered')
  })

  test('a truncated frame is neither data nor an end', () => {
    const opener = new FrameOpener(secret)
    const opened = opener.open(first.subarray(0, -1))
    expect([opened.data.byteLength, opened.ended, opened.refusal]).toEqual([0, false, undefined])
    expect(opener.betweenFrames).toBe(false)
  })
})

function length(bytes: number): Uint8Array {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(bytes)
  return header
}
