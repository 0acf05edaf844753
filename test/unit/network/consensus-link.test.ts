import type { Connection } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { CONSENSUS_CHANNEL, ConsensusLink } from '../../../src/network/consensus-link.ts'
import { EMPTY_FRAME, encodeFrames } from '../../../src/network/frames.ts'
import { PROTOCOL_LIMITS } from '../../../src/network/topics.ts'
import type { ValidatorId } from '../../../src/types/primitives.ts'
import { FakeStream } from '../../support/fake-stream.ts'
import { CountingMeter } from '../../support/network-node.ts'

const ID = 'aa'.repeat(32) as ValidatorId

function setUp() {
  const clock = { nowMs: 0 }
  const meter = new CountingMeter()
  const log: string[] = []
  const received: Uint8Array[] = []
  const link = new ConsensusLink(
    ID,
    {
      onMessage: (_from, bytes) => received.push(bytes),
      onReachable: (_id, isReachable) => log.push(isReachable ? 'reachable' : 'unreachable'),
      onDetached: (_id, reason) => log.push(`detached ${reason}`),
    },
    meter.meter,
    () => clock.nowMs,
  )
  let aborted = false
  const connection = {
    id: 'c1',
    abort: () => {
      aborted = true
    },
  } as unknown as Connection
  const attach = (): FakeStream => {
    const stream = new FakeStream()
    link.attach(stream.asStream, connection)
    return stream
  }
  return { clock, meter, log, received, link, attach, wasConnectionAborted: () => aborted }
}

const message = (text: string): Uint8Array => Buffer.from(text)
const written = (stream: FakeStream): string => Buffer.concat(stream.writes).toString('latin1')

describe('a consensus link', () => {
  it('says hello at once and is reachable when it hears the other side', () => {
    const { link, attach, log } = setUp()
    const stream = attach()
    expect(Buffer.concat(stream.writes)).toEqual(Buffer.from(EMPTY_FRAME))
    expect(link.isReachable).toBe(false)
    stream.deliver(EMPTY_FRAME)
    expect([link.isReachable, log]).toEqual([true, ['reachable']])
  })

  it('writes what gathered in one write, in order', () => {
    const { link, attach } = setUp()
    const stream = attach()
    for (const text of ['one', 'two', 'three']) link.push(message(text), false)
    link.flush()
    expect(stream.writes).toHaveLength(2)
    expect(stream.writes[1]).toEqual(encodeFrames(['one', 'two', 'three'].map(message)))
  })

  it('keeps what is sent while nobody is there, for a while', () => {
    const { link, attach, clock, meter } = setUp()
    link.push(message('stale'), false)
    clock.nowMs = CONSENSUS_CHANNEL.queueAgeMaxMs
    link.push(message('fresh'), false)
    clock.nowMs += 1
    const stream = attach()
    expect(written(stream)).not.toContain('stale')
    expect(written(stream)).toContain('fresh')
    expect(meter.of('channel-drop', 'expired')).toBe(1)
  })

  it('waits while the stream is full and goes on when it drains', () => {
    const { link, attach } = setUp()
    const stream = attach()
    stream.hasRoom = false
    link.push(message('first'), false)
    link.flush()
    link.push(message('second'), false)
    link.flush()
    expect(written(stream)).not.toContain('second')
    stream.drain()
    expect(written(stream)).toContain('second')
  })

  it('holds no more than its bounds for a remote that does not read', () => {
    const { link, attach, meter } = setUp()
    const stream = attach()
    stream.hasRoom = false
    const chunk = new Uint8Array(100_000)
    for (let i = 0; i < 5_000; i += 1) {
      expect(link.push(chunk, false)).toBe(true)
      link.flush()
      expect(link.queuedBytes).toBeLessThanOrEqual(CONSENSUS_CHANNEL.queueBytesMax)
      expect(link.queuedMessages).toBeLessThanOrEqual(CONSENSUS_CHANNEL.queueMessagesMax)
    }
    expect(stream.writes).toHaveLength(2)
    expect(meter.of('channel-drop', 'queue-full')).toBeGreaterThan(4_000)
  })

  it('cuts a remote that takes nothing', () => {
    const { link, attach, clock, log } = setUp()
    const stream = attach()
    stream.deliver(EMPTY_FRAME)
    stream.hasRoom = false
    link.push(message('x'), false)
    link.flush()
    for (let at = 0; at <= CONSENSUS_CHANNEL.blockedMaxMs + 1; at += 1_000) {
      clock.nowMs = at
      stream.deliver(EMPTY_FRAME)
      link.tick()
    }
    clock.nowMs += 2
    link.tick()
    expect(log).toEqual(['reachable', 'unreachable', 'detached slow'])
  })

  it('cuts a silent remote within 10 s, and the connection with it', () => {
    const { link, attach, clock, log, wasConnectionAborted } = setUp()
    const stream = attach()
    stream.deliver(EMPTY_FRAME)
    let cutAtMs = 0
    for (let at = 0; at <= 20_000 && cutAtMs === 0; at += CONSENSUS_CHANNEL.keepAliveMs) {
      clock.nowMs = at
      link.tick()
      if (!link.isReachable) cutAtMs = at
    }
    expect(cutAtMs).toBeGreaterThan(CONSENSUS_CHANNEL.silenceMaxMs)
    expect(cutAtMs).toBeLessThan(10_000)
    expect(log).toEqual(['reachable', 'unreachable', 'detached silent'])
    expect(wasConnectionAborted()).toBe(true)
  })

  it('gives signs of life when it has nothing to say, and only then', () => {
    const { link, attach, clock } = setUp()
    const stream = attach()
    clock.nowMs = CONSENSUS_CHANNEL.keepAliveMs
    link.tick()
    expect(stream.writes).toHaveLength(2)
    clock.nowMs += CONSENSUS_CHANNEL.keepAliveMs - 100
    link.push(message('talk'), false)
    link.flush()
    clock.nowMs += 100
    link.tick()
    expect(stream.writes).toHaveLength(3)
  })

  it('does not blame the remote for our own sleep', () => {
    const { link, attach, clock } = setUp()
    const stream = attach()
    stream.deliver(EMPTY_FRAME)
    clock.nowMs = 60_000
    link.forgiveSilence()
    link.tick()
    expect(link.isReachable).toBe(true)
  })

  it('takes the newest stream', () => {
    const { link, attach, log, received } = setUp()
    const old = attach()
    old.deliver(EMPTY_FRAME)
    const young = attach()
    expect(old.status).toBe('aborted')
    young.deliver(encodeFrames([message('hello')]))
    expect(received.map((bytes) => Buffer.from(bytes).toString())).toEqual(['hello'])
    expect(log).toEqual(['reachable'])
    expect(link.isReachable).toBe(true)
  })

  it.each([
    ['is reset', (stream: FakeStream) => stream.reset(), 'reset'],
    ['is half-closed', (stream: FakeStream) => stream.remoteCloses(), 'undefined'],
    ['announces too much', (stream: FakeStream) => stream.deliver(Buffer.alloc(4, 0xff)), 'oversize'],
  ])('tells at once when the stream %s', (_name, end, reason) => {
    const { attach, log } = setUp()
    const stream = attach()
    stream.deliver(EMPTY_FRAME)
    end(stream)
    expect(log).toEqual(['reachable', 'unreachable', `detached ${reason}`])
    expect(stream.status).not.toBe('open')
  })

  it('drops what comes faster than the rate', () => {
    const { attach, received, meter } = setUp()
    const stream = attach()
    const { messagesBurst } = PROTOCOL_LIMITS.consensusChannel
    for (let i = 0; i < messagesBurst + 10; i += 1) stream.deliver(encodeFrames([message('x')]))
    expect(received).toHaveLength(messagesBurst)
    expect(meter.of('channel-drop', 'rate')).toBe(10)
  })

  it('hands over bytes as they came, and nothing after its end', () => {
    const { link, attach, received } = setUp()
    const stream = attach()
    link.close()
    stream.deliver(encodeFrames([message('late')]))
    expect(received).toEqual([])
  })
})
