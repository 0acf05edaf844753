import { TypedEventEmitter } from '@libp2p/interface'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PEER_FINDING, PeerFinder, type PeerFinderOptions } from '../../../src/network/peer-finder.ts'
import { RecordingLogger } from '../../support/network-node.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A finder on a node with one peer; how often it walked. */
function finding(lacksNobody: () => boolean, walk: () => readonly never[] = () => []) {
  const walks = { count: 0 }
  const identified: unknown[] = []
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
        yield* walk()
      },
    },
  } as unknown as PeerFinderOptions['host']
  const identify = async (connection: unknown): Promise<void> => {
    identified.push(connection)
    throw new Error('no answer')
  }
  const finder = new PeerFinder({ host, identify, lacksNobody, logger: new RecordingLogger() })
  return { walks, identified, finder }
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

it('has its peers say anew who they are when Kademlia knows nobody, and only then', async () => {
  let ends = false
  const { finder, identified, walks } = finding(
    () => false,
    () => {
      if (!ends) throw new Error('aborted due to timeout')
      return []
    },
  )
  finder.start()
  await vi.advanceTimersByTimeAsync(PEER_FINDING.firstMs)
  expect(identified).toEqual([{ remotePeer: 'one' }])
  ends = true
  await vi.advanceTimersByTimeAsync(2 * PEER_FINDING.firstMs)
  expect(walks.count).toBe(2)
  expect(identified).toHaveLength(1)
  finder.stop()
})
