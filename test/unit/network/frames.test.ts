import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { EMPTY_FRAME, encodeFrames, FrameReader, FrameTooLong } from '../../../src/network/frames.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function read(reader: FrameReader, ...chunks: (Uint8Array | Uint8ArrayList)[]): number[][] {
  const frames: number[][] = []
  for (const chunk of chunks) reader.push(chunk, (frame) => frames.push([...frame]))
  return frames
}

describe('frames', () => {
  it('are a little-endian length and the bytes', () => {
    expect([...encodeFrames([bytes(1, 2), bytes(), bytes(3)])]).toEqual([
      2, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 3,
    ])
    expect([...EMPTY_FRAME]).toEqual([0, 0, 0, 0])
  })

  it.each([
    ['in one chunk', [bytes(1, 0, 0, 0, 9, 2, 0, 0, 0, 7, 8)]],
    ['byte by byte', [1, 0, 0, 0, 9, 2, 0, 0, 0, 7, 8].map((value) => bytes(value))],
    ['as a list of chunks', [new Uint8ArrayList(bytes(1, 0), bytes(0, 0, 9, 2), bytes(0, 0, 0, 7, 8))]],
    ['cut inside a length', [bytes(1, 0, 0, 0, 9, 2, 0), bytes(0, 0, 7, 8)]],
  ])('come out whole when they arrive %s', (_how, chunks) => {
    expect(read(new FrameReader(16), ...chunks)).toEqual([[9], [7, 8]])
  })

  it('may be empty', () => {
    expect(read(new FrameReader(16), bytes(0, 0, 0, 0, 0, 0, 0, 0))).toEqual([[], []])
  })

  it.each([
    [16, true],
    [17, false],
  ])('of %i bytes against a limit of 16: taken %s', (length, fine) => {
    const reader = new FrameReader(16)
    const push = (): number[][] => read(reader, encodeFrames([new Uint8Array(length)]))
    if (fine) expect(push()).toHaveLength(1)
    else expect(push).toThrow(FrameTooLong)
  })

  it('are refused by their announcement alone', () => {
    expect(() => read(new FrameReader(1_000), bytes(0xff, 0xff, 0xff, 0xff))).toThrow(/4294967295/)
  })

  it('own their bytes: the chunk may be reused', () => {
    const chunk = bytes(2, 0, 0, 0, 7, 8)
    let frame: Uint8Array = new Uint8Array()
    new FrameReader(16).push(chunk, (got) => {
      frame = got
    })
    chunk.fill(0)
    expect([...frame]).toEqual([7, 8])
  })

  it('do not make the reader hold more than twice what has arrived', () => {
    const reader = new FrameReader(64 * 1024 * 1024)
    const announced = 32 * 1024 * 1024
    reader.push(bytes(0, 0, 0, 2), () => undefined)
    const chunk = new Uint8Array(50_000)
    let arrived = 0
    while (arrived + chunk.byteLength < announced) {
      reader.push(chunk, () => undefined)
      arrived += chunk.byteLength
      expect(reader.heldBytes).toBeLessThanOrEqual(Math.max(64 * 1024, 2 * arrived))
    }
    const frames: Uint8Array[] = []
    reader.push(new Uint8Array(announced - arrived), (frame) => frames.push(frame))
    expect(frames.map((frame) => frame.byteLength)).toEqual([announced])
    expect(reader.heldBytes).toBe(0)
  })
})
