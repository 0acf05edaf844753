import { TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { KnownPeer } from '../../../src/network/address-book.ts'
import { networkKeyFromSeed } from '../../../src/network/network-key.ts'
import { PEER_FINDING, PeerFinder, type PeerFinderOptions } from '../../../src/network/peer-finder.ts'
import { RecordingLogger } from '../../support/network-node.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface World {
  readonly walk?: () => readonly never[]
  /** Connected peers. */
  readonly peers?: () => readonly string[]
  readonly known?: PeerFinderOptions['known']
  /** Whether it answers. */
  readonly dial?: (address: string) => boolean
}

/** A finder on a node with one peer, unless told otherwise; how often it walked. */
function finding(lacksNobody: () => boolean, world: World = {}) {
  const { walk = () => [], peers = () => ['one'], known = () => [], dial = () => false } = world
  const walks = { count: 0 }
  const identified: unknown[] = []
  const events = new TypedEventEmitter()
  const host = {
    peerId: 'we',
    getConnections: () => peers().map((remotePeer) => ({ remotePeer })),
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    dial: async ([address]: Multiaddr[]) => {
      if (!dial(String(address))) throw new Error('nobody is found here')
    },
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
  const finder = new PeerFinder({ host, identify, known, lacksNobody, logger: new RecordingLogger() })
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
  const { finder, identified, walks } = finding(() => false, {
    walk: () => {
      if (!ends) throw new Error('aborted due to timeout')
      return []
    },
  })
  finder.start()
  await vi.advanceTimersByTimeAsync(PEER_FINDING.firstMs)
  expect(identified).toEqual([{ remotePeer: 'one' }])
  ends = true
  await vi.advanceTimersByTimeAsync(2 * PEER_FINDING.firstMs)
  expect(walks.count).toBe(2)
  expect(identified).toHaveLength(1)
  finder.stop()
})

/** Six peers of earlier. */
const EARLIER: readonly KnownPeer[] = await Promise.all(
  Array.from({ length: PEER_FINDING.dialsPerWalk + 2 }, async (_, i) => {
    const { peerId } = await networkKeyFromSeed(new Uint8Array(32).fill(i))
    return { peerId: peerIdFromString(peerId), addresses: [multiaddr(`/ip4/192.0.2.1/tcp/${i + 1}`)] }
  }),
)
const EARLIER_ADDRESSES = EARLIER.map(({ addresses }) => String(addresses[0]))

it('alone, dials whom it knows of earlier until one answers, and does not grow tired of it', async () => {
  const dialled: string[] = []
  let answers = false
  const { finder, walks } = finding(() => false, {
    peers: () => (answers ? ['one'] : []),
    known: () => EARLIER,
    dial: (address) => {
      dialled.push(address)
      return answers
    },
  })
  finder.start()
  await vi.advanceTimersByTimeAsync(PEER_FINDING.firstMs)
  expect(dialled).toEqual(EARLIER_ADDRESSES)
  await vi.advanceTimersByTimeAsync(10 * PEER_FINDING.aloneLastMs)
  expect(dialled.length).toBeGreaterThanOrEqual(10 * EARLIER.length)
  expect(walks.count).toBe(0)
  answers = true
  dialled.length = 0
  await vi.advanceTimersByTimeAsync(PEER_FINDING.aloneLastMs)
  expect(dialled).toContain(EARLIER_ADDRESSES[0])
  expect(dialled).not.toContain(EARLIER_ADDRESSES[PEER_FINDING.dialsPerWalk])
  finder.stop()
})

it('dials whom it knows of earlier and is not connected to when a walk finds nobody', async () => {
  const dialled: string[] = []
  const { finder, walks } = finding(() => false, {
    peers: () => [String(EARLIER[0]?.peerId)],
    known: () => EARLIER,
    dial: (address) => {
      dialled.push(address)
      return true
    },
  })
  finder.start()
  await vi.advanceTimersByTimeAsync(PEER_FINDING.firstMs)
  expect(walks.count).toBe(1)
  expect(dialled).toEqual(EARLIER_ADDRESSES.slice(1, 1 + PEER_FINDING.dialsPerWalk))
  finder.stop()
})
