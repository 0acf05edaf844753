import { TypedEventEmitter } from '@libp2p/interface'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PEER_FINDING, PeerFinder, type PeerFinderOptions } from '../../../src/network/peer-finder.ts'
import { RecordingLogger } from '../../support/network-node.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A finder on a node with one peer; how often it walked. */
function finding(lacksNobody: () => boolean) {
  const walks = { count: 0 }
  const events = new TypedEventEmitter()
  const host = {
    peerId: 'we',
    getConnections: () => [{ remotePeer: 'one' }],
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    dial: () => Promise.reject(new Error('nobody is found here')),
    peerRouting: {
      async *getClosestPeers() {
        walks.count += 1
        yield* []
      },
    },
  } as unknown as PeerFinderOptions['host']
  return { walks, finder: new PeerFinder({ host, lacksNobody, logger: new RecordingLogger() }) }
}

it('walks while peers are few, more and more seldom when it finds nobody', async () => {
  const { finder, walks } = finding(() => false)
  finder.start()
  await vi.advanceTimersByTimeAsync(PEER_FINDING.firstMs)
  expect(walks.count).toBe(1)
  await vi.advanceTimersByTimeAsync(2 * PEER_FINDING.firstMs - 1)
  expect(walks.count).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(walks.count).toBe(2)
  finder.stop()
  await vi.advanceTimersByTimeAsync(PEER_FINDING.lastMs)
  expect(walks.count).toBe(2)
})

it('does not walk as long as it lacks nobody', async () => {
  let isWhole = true
  const { finder, walks } = finding(() => isWhole)
  finder.start()
  await vi.advanceTimersByTimeAsync(3 * PEER_FINDING.firstMs)
  expect(walks.count).toBe(0)
  isWhole = false
  await vi.advanceTimersByTimeAsync(4 * PEER_FINDING.firstMs)
  expect(walks.count).toBe(1)
  finder.stop()
})
