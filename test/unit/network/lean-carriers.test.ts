import type { MultiaddrConnection, Stream } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { leanEncrypter } from '../../../src/network/lean-encrypter.ts'
import { leanYamux } from '../../../src/network/lean-yamux.ts'
import { FakeStream } from '../../support/fake-stream.ts'
import { until } from '../../support/network-node.ts'

function countSends(connection: MultiaddrConnection): { sends: number } {
  const count = { sends: 0 }
  const send = connection.send.bind(connection)
  connection.send = (data) => {
    count.sends += 1
    return send(data)
  }
  return count
}

/** Messages of one way over one stream; how often the receiver had to send something back. */
async function transfer(create: typeof leanYamux, messages: number, size: number): Promise<number> {
  const [outbound, inbound] = multiaddrConnectionPair()
  const back = countSends(inbound)
  const options = { enableKeepAlive: false }
  const sender = create(options)().createStreamMuxer(outbound)
  const receiver = create(options)().createStreamMuxer(inbound)
  let received = 0
  receiver.addEventListener('stream', ({ detail }) => {
    detail.addEventListener('message', ({ data }) => {
      received += data.byteLength
    })
  })
  const stream = await sender.createStream()
  for (let i = 0; i < messages; i += 1) {
    if (!stream.send(new Uint8Array(size))) {
      await new Promise((resolve) => stream.addEventListener('drain', resolve, { once: true }))
    }
  }
  await until(() => received === messages * size, 'everything has arrived')
  return back.sends
}

describe('lean yamux', () => {
  it('refills a window by halves, where the library answers every frame', async () => {
    const plain = await transfer(yamux as typeof leanYamux, 200, 1_000)
    const lean = await transfer(leanYamux, 200, 1_000)
    expect(plain).toBeGreaterThan(100)
    expect(lean).toBeLessThan(5)
  })

  it('lets many windows through', async () => {
    expect(await transfer(leanYamux, 64, 128 * 1024)).toBeGreaterThan(5)
  })

  it('keeps a stream that comes before anybody listens', async () => {
    const [outbound, inbound] = multiaddrConnectionPair()
    const sender = leanYamux()().createStreamMuxer(outbound)
    const receiver = leanYamux()().createStreamMuxer(inbound)
    const stream = await sender.createStream()
    stream.send(Uint8Array.of(1))
    await until(() => receiver.streams.length === 1, 'the stream has arrived')
    const early: Stream[] = []
    receiver.addEventListener('stream', ({ detail }) => early.push(detail))
    await until(() => early.length === 1, 'it is told to the late listener')
  })
})

describe('the lean encrypter', () => {
  it.each([
    ['joins the pieces of a packet', [2, 100], 1],
    ['leaves what is large in pieces', [2, 100_000], 2],
  ])('%s', async (_name, sizes, pieces) => {
    const stream = new FakeStream()
    const sent: (Uint8Array | Uint8ArrayList)[] = []
    stream.send = (data: Uint8Array | Uint8ArrayList) => sent.push(data) > 0
    const encrypter = leanEncrypter(() => ({
      protocol: '/none',
      secureInbound: () => Promise.reject(new Error('not asked')),
      secureOutbound: (connection) => {
        connection.send(new Uint8ArrayList(...sizes.map((size) => new Uint8Array(size))))
        return Promise.reject(new Error('enough'))
      },
    }))({})
    await expect(encrypter.secureOutbound(stream.asStream)).rejects.toThrow('enough')
    const [first] = sent
    expect(first instanceof Uint8Array ? 1 : [...(first ?? [])].length).toBe(pieces)
    expect(first?.byteLength).toBe(sizes.reduce((sum, size) => sum + size, 0))
  })
})
