import type { Connection, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PeerDialer, type PeerDialerOptions, REDIAL } from '../../../src/network/dialer.ts'
import { CountingMeter, RecordingLogger } from '../../support/network-node.ts'

const PEER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const OTHER = '12D3KooWBaq7jThQ5zZH5SmBhbQY9hkimq51Nxp7wEzsyT9J6vWL'
const address = (peer: string, port = 1): ReturnType<typeof multiaddr> =>
  multiaddr(`/ip4/192.0.2.1/tcp/${port}/p2p/${peer}`)
const peerId = (id: string): PeerId => ({ toString: () => id }) as unknown as PeerId

function setUp(answers: (attempt: number) => Error | undefined) {
  const events = new EventTarget()
  const open = new Set<string>()
  const dials: string[] = []
  const times: number[] = []
  const host = {
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    getConnections: () =>
      [...open].map((id) => ({ status: 'open', remotePeer: peerId(id) }) as unknown as Connection),
    dial: (target: unknown) => {
      const text = Array.isArray(target) ? target.map(String).join(' ') : String(target)
      dials.push(text)
      times.push(performance.now())
      const failure = answers(dials.length)
      if (failure !== undefined) return Promise.reject(failure)
      open.add(/12D3\w+/.exec(text)?.[0] ?? text)
      return Promise.resolve({} as Connection)
    },
  } as unknown as PeerDialerOptions['host']
  const meter = new CountingMeter()
  const logger = new RecordingLogger()
  const infos: object[] = []
  logger.info = (fields: object) => {
    infos.push(fields)
  }
  const dialer = new PeerDialer({ host, meter: meter.meter, logger })
  const lose = (id: string): void => {
    open.delete(id)
    events.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId(id) }))
  }
  return { dialer, dials, times, meter, logger, infos, lose }
}

describe('the dialer', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const refused = (): Error => new Error('connect ECONNREFUSED 192.0.2.1:1')

  it('dials at once, rests while connected, and dials again soon after the loss', async () => {
    const { dialer, dials, lose, meter } = setUp(() => undefined)
    dialer.setTargets('bootstrap', [{ peerId: PEER, addresses: [address(PEER)] }])
    expect(dials).toEqual([])
    dialer.start()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dials).toEqual([address(PEER).toString()])
    lose(PEER)
    await vi.advanceTimersByTimeAsync(2 * REDIAL.firstMs)
    expect(dials).toHaveLength(2)
    expect(meter.of('dial', 'connected')).toBe(2)
    expect(dialer.state('bootstrap')).toEqual({ connected: 1, wanted: 1, failures: [] })
    dialer.stop()
  })

  it.each([
    ['validator', REDIAL.validatorLastMs],
    ['bootstrap', REDIAL.bootstrapLastMs],
  ] as const)(
    'begins fast and slows down for a %s that is away, but never gives up',
    async (role, lastMs) => {
      const { dialer, times, dials } = setUp(refused)
      dialer.setTargets(role, [{ peerId: PEER, addresses: [address(PEER)] }])
      dialer.start()
      await vi.advanceTimersByTimeAsync(120_000)
      const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0))
      expect(waits[0]).toBeLessThanOrEqual(1.25 * REDIAL.firstMs + 1)
      expect(Math.max(...waits)).toBeLessThanOrEqual(1.25 * lastMs + 1)
      expect(Math.min(...waits.slice(-3))).toBeGreaterThanOrEqual(lastMs)
      // Every few attempts the peer store and the DHT are asked instead of the given address.
      expect(dials.slice(0, 4)).toEqual([address(PEER), address(PEER), address(PEER), PEER].map(String))
      dialer.stop()
    },
  )

  it('takes the newer address of a validator at once', async () => {
    const { dialer, dials } = setUp(refused)
    dialer.setTargets('bootstrap', [{ peerId: PEER, addresses: [address(PEER, 1)] }])
    dialer.start()
    await vi.advanceTimersByTimeAsync(1)
    dialer.setTargets('validator', [{ peerId: PEER, addresses: [address(PEER, 2)] }])
    await vi.advanceTimersByTimeAsync(1)
    expect(dials).toEqual([address(PEER, 1), address(PEER, 2)].map(String))
    // A list that says otherwise does not take it back.
    dialer.setTargets('bootstrap', [{ peerId: PEER, addresses: [address(PEER, 1)] }])
    await vi.advanceTimersByTimeAsync(2 * REDIAL.firstMs)
    // Chance decides how many attempts there were; the older address is not among them.
    expect(dials.filter((dialled) => dialled === address(PEER, 1).toString())).toHaveLength(1)
    dialer.stop()
  })

  it('forgets whom nobody wants any more', async () => {
    const { dialer, dials } = setUp(refused)
    dialer.setTargets('validator', [{ peerId: PEER, addresses: [address(PEER)] }])
    dialer.start()
    await vi.advanceTimersByTimeAsync(1)
    dialer.setTargets('validator', [])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dials).toHaveLength(1)
    dialer.stop()
  })

  it('says once in a while that nobody answers, and once that another peer does', async () => {
    const wrong = new Error(
      `Payload identity key ${OTHER} does not match expected remote identity key ${PEER}`,
    )
    const { dialer, infos, logger } = setUp((attempt) => (attempt === 1 ? wrong : refused()))
    dialer.setTargets('bootstrap', [{ peerId: PEER, addresses: [address(PEER)] }])
    dialer.start()
    // Past the second summary whatever chance adds to the waits, and before a third one.
    await vi.advanceTimersByTimeAsync(30_000 + 1.25 * REDIAL.bootstrapLastMs + 1_000)
    expect(infos).toEqual([{ bootstrapPeers: 1, failures: { 'other-peer': 1 } }])
    expect(logger.lines).toMatchObject([
      { level: 'warn', fields: { code: 'E_BOOTSTRAP_ID' } },
      { level: 'warn', fields: { bootstrapPeers: 1, failures: { refused: 1 } } },
    ])
    dialer.stop()
  })

  it('does not warn of bootstrap peers that are away while it has others', async () => {
    const { dialer, infos, logger } = setUp((attempt) => (attempt === 1 ? undefined : refused()))
    dialer.setTargets('validator', [{ peerId: OTHER, addresses: [address(OTHER)] }])
    dialer.setTargets('bootstrap', [{ peerId: PEER, addresses: [address(PEER)] }])
    dialer.start()
    await vi.advanceTimersByTimeAsync(30_000 + 1.25 * REDIAL.bootstrapLastMs + 1_000)
    expect(infos).toEqual([
      { bootstrapPeers: 1, failures: { refused: 1 } },
      { bootstrapPeers: 1, failures: { refused: 1 } },
    ])
    expect(logger.lines).toEqual([])
    dialer.stop()
  })
})
