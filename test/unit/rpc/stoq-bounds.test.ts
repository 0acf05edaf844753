/** The bounds of the STOQ listener, without a network: the reading of one request, streams that nobody knows. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { QuicStream } from '@currentspace/http3'
import { describe, expect, it } from 'vitest'
import { bindError } from '../../../src/rpc/stoq/errors.ts'
import { tameGhosts } from '../../../src/rpc/stoq/quic.ts'
import { readRequest } from '../../../src/rpc/stoq/read-request.ts'
import { ByteBudget } from '../../../src/types/byte-budget.ts'

describe('a request', () => {
  const budgetOf = (bytesMax: number) => new ByteBudget(bytesMax)

  it.each([
    { what: 'is read to its end', chunks: [3, 4], bytesMax: 7, expected: 7 },
    { what: 'may be empty', chunks: [], bytesMax: 7, expected: 0 },
    { what: 'is too long by a byte', chunks: [3, 5], bytesMax: 7, expected: 'too-long' },
    { what: 'is given up at ten times that', chunks: [71], bytesMax: 7, expected: 'too-long', isOpen: true },
  ])('$what', async ({ chunks, bytesMax, expected, isOpen }) => {
    const stream = new PassThrough()
    const budget = budgetOf(1_000)
    const read = readRequest(stream, { bytesMax, deadlineMs: 5_000, budget })
    for (const size of chunks) stream.write(Buffer.alloc(size))
    if (isOpen !== true) stream.end()
    const request = await read
    expect(request instanceof Uint8Array ? request.length : request).toBe(expected)
    // Everything was given back.
    expect(budget.take(1_000)).toBe(true)
    stream.destroy()
  })

  it('that finds no room is read to its end and refused, and room comes back', async () => {
    const budget = budgetOf(10)
    const limits = { bytesMax: 100, deadlineMs: 5_000, budget }
    const [first, second] = [new PassThrough(), new PassThrough()]
    const reads = [readRequest(first, limits), readRequest(second, limits)]
    first.write(Buffer.alloc(6))
    await new Promise(setImmediate)
    second.write(Buffer.alloc(5))
    second.end()
    expect(await reads[1]).toBe('no-room')
    first.end(Buffer.alloc(4))
    expect(await reads[0]).toHaveLength(10)
    expect(budget.take(10)).toBe(true)
  })

  it('that does not end in time is late, and one that is broken off is gone', async () => {
    const budget = budgetOf(100)
    const half = new PassThrough()
    half.write('x')
    expect(await readRequest(half, { bytesMax: 100, deadlineMs: 20, budget })).toBe('late')
    const broken = new PassThrough()
    broken.on('error', () => {})
    const read = readRequest(broken, { bytesMax: 100, deadlineMs: 5_000, budget })
    broken.write('x')
    broken.destroy(new Error('stream reset: 7'))
    expect(await read).toBe('gone')
    expect(budget.take(100)).toBe(true)
    half.destroy()
  })
})

it('a stream that nobody was told of ends no process and keeps no bytes', async () => {
  const make = (): QuicStream => new QuicStream()
  const session = { _getOrCreateStream: make }
  tameGhosts(session)
  const ghost = session._getOrCreateStream()
  for (let i = 0; i < 64; i++) ghost._pushData(Buffer.alloc(65_536))
  await new Promise(setImmediate)
  expect([ghost.readableFlowing, ghost.readableLength]).toEqual([true, 0])
  // Without a listener this would be an uncaught exception.
  ghost.destroy(new Error('stream reset: 7'))
  await new Promise((resolve) => ghost.on('close', resolve))

  const read = session._getOrCreateStream()
  const chunks: Buffer[] = []
  read.on('data', (chunk: Buffer) => chunks.push(chunk))
  read._pushData(Buffer.from('for someone'))
  read._pushData(null)
  await once(read, 'end')
  expect(Buffer.concat(chunks).toString()).toBe('for someone')
})

it('an address that cannot be listened on is told with what to do', () => {
  const taken = bindError(new Error('[h3:io|errno=98] IO error: Address already in use'), '::1', 9_292)
  expect(taken).toMatchObject({
    code: 'E_PORT_IN_USE',
    exitCode: 69,
    message: 'udp [::1]:9292 is in use, the STOQ endpoint cannot listen there',
    advice: { fix: expect.stringContaining('stoq.enabled = false') },
  })
  const denied = bindError(new Error('[h3:io|errno=13] IO error: Permission denied'), '127.0.0.1', 92)
  expect(denied).toMatchObject({ code: 'E_LISTEN', advice: { why: expect.stringContaining('denied') } })
})
