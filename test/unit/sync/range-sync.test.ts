/** Catching up from peers of every kind: what is taken, how far ahead, and who is left alone for a while. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeBlock } from '../../../src/codec/block.ts'
import { decodeQuorumCertificate, encodeQuorumCertificate } from '../../../src/codec/certificates.ts'
import { RangeSync } from '../../../src/sync/range-sync.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import { ok, type Result, refuse } from '../../../src/types/errors.ts'
import { asHeight, type Height } from '../../../src/types/primitives.ts'
import { mintVerified } from '../../../src/types/verified.ts'
import { RecordingLogger } from '../../support/session/recording-logger.ts'
import { blockOn, chainOf, GENESIS, quorumOn } from '../consensus/harness.ts'

type Range = Result<{ readonly blocks: readonly Uint8Array[]; readonly certificate: Uint8Array | null }>
type Status = Result<{ readonly certificate: Uint8Array | null }>

interface Peer {
  range(from: number, count: number): Range
  status(): Status
}

const CHAIN = chainOf(600)
const certificateOf = (block: HashedBlock, voters = [0, 1, 2]): Uint8Array =>
  encodeQuorumCertificate(quorumOn('pre-commit', block, voters))

/** Serves CHAIN up to a height, as storage does: a certificate for the last block of the answer. */
function honest(height: number, perAnswer = 128): Peer {
  return {
    range: (from, count) => {
      const blocks = CHAIN.slice(from - 1, Math.min(height, from - 1 + Math.min(count, perAnswer)))
      const last = blocks.at(-1)
      if (last === undefined) return refuse('not-found', '')
      return ok({ blocks: blocks.map(({ bytes }) => bytes), certificate: certificateOf(last) })
    },
    status: () => ok({ certificate: certificateOf(CHAIN[height - 1] as HashedBlock) }),
  }
}

class Bench {
  readonly logger = new RecordingLogger()
  readonly peers = new Map<string, Peer>()
  readonly asked: { readonly peer: string; readonly from: number }[] = []
  readonly taken: HashedBlock[] = []
  /** Blocks that were told of, by what became of them. */
  readonly told = { taken: 0, refused: 0 }
  nowMs = 0
  /** What was handed over becomes final at once. */
  isFinalizing = true
  /** What was handed over is lost. */
  isLosing = false
  final: HashedBlock = GENESIS
  prunedTimes = 0
  statusAsked = 0
  readonly fetcher = {
    peers: () => [...this.peers.keys()],
    fetchRange: async (from: Height, count: number, peer: string) => {
      this.asked.push({ peer, from })
      return this.peers.get(peer)?.range(from, count) ?? refuse('gone', '')
    },
    fetchStatus: async (_: Height, peer: string) => {
      this.statusAsked++
      return this.peers.get(peer)?.status() ?? refuse('gone', '')
    },
  }
  /** Certificates above the end of the epoch after the final block cannot be checked yet. */
  readonly epochBlocks: number
  readonly sync: RangeSync

  constructor(peers: Record<string, Peer>, epochBlocks = 1_000) {
    this.epochBlocks = epochBlocks
    for (const [name, peer] of Object.entries(peers)) this.peers.set(name, peer)
    this.sync = new RangeSync({
      fetcher: this.fetcher,
      epochBlocks: this.epochBlocks,
      onPruned: () => void this.prunedTimes++,
      reader: {
        isFiller: () => false,
        decodeBlock: (bytes) => {
          const block = decodeBlock(bytes)
          return block.ok ? block.value : null
        },
        // Below a quorum: forged.
        verifyCertificate: (bytes) => {
          const certificate = decodeQuorumCertificate(bytes)
          if (!certificate.ok || certificate.value.signatures.length < 3) return null
          const epoch = Math.floor(this.final.header.height / this.epochBlocks)
          if (certificate.value.height > (epoch + 1) * this.epochBlocks) {
            return { claimedHeight: certificate.value.height }
          }
          // Of an epoch that is over: its validators are no longer those who certify.
          if (certificate.value.height <= epoch * this.epochBlocks) return null
          return mintVerified(certificate.value)
        },
      },
      tip: {
        finalHeight: () => this.final.header.height,
        finalHash: () => this.final.hash,
        take: (blocks) => {
          if (this.isLosing) return
          this.taken.push(...blocks)
          if (this.isFinalizing) this.finalize()
        },
      },
      onBlocks: (result, count) => {
        this.told[result] += count
      },
      now: () => this.nowMs,
      logger: this.logger,
    })
  }

  finalize(): void {
    this.final = this.taken.at(-1) ?? this.final
    this.sync.finalized()
  }

  async caughtUp(height: number): Promise<void> {
    this.sync.request({ height: asHeight(height) })
    await this.idle()
  }

  /** Until nothing moves: all fetches are microtasks. */
  async idle(): Promise<void> {
    for (let i = 0; i < 500; i++) await Promise.resolve()
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('range sync', () => {
  it('takes every block in order, each once, and stops at the target', async () => {
    const bench = new Bench({ a: honest(600) })
    await bench.caughtUp(500)
    expect(bench.taken.map(({ header }) => header.height)).toEqual(
      Array.from({ length: bench.taken.length }, (_, i) => i + 1),
    )
    expect(bench.final.header.height).toBeGreaterThanOrEqual(500)
    expect(bench.sync.status).toMatchObject({ isSyncing: false, targetHeight: 500 })
    expect(bench.logger.lines).toContainEqual(expect.objectContaining({ message: 'caught up' }))
    expect(bench.told).toEqual({ taken: bench.taken.length, refused: 0 })
  })

  it('asks peers in turn, and takes short answers as they are', async () => {
    const bench = new Bench({ a: honest(600, 7), b: honest(600, 64) })
    await bench.caughtUp(200)
    expect(new Set(bench.asked.map(({ peer }) => peer))).toEqual(new Set(['a', 'b']))
    expect(bench.final.header.height).toBeGreaterThanOrEqual(200)
  })

  it('goes on from epoch to epoch, though peers that are behind have nothing to tell', async () => {
    const behind = { ...honest(100, 10), status: (): Status => ok({ certificate: null }) }
    const bench = new Bench({ a: honest(100, 10), b: behind, c: behind }, 10)
    await bench.sync.poll('a')
    await bench.idle()
    expect(bench.final.header.height).toBe(100)
  })

  it('goes no further ahead than may be held, and on when there is room', async () => {
    const bench = new Bench({ a: honest(600) })
    bench.isFinalizing = false
    await bench.caughtUp(600)
    expect(bench.taken).toHaveLength(384)
    bench.finalize()
    await bench.idle()
    expect(bench.taken).toHaveLength(600)
  })

  it('asks soon, and once, when something hints that the chain has gone on', async () => {
    const bench = new Bench({ a: honest(40) })
    for (let i = 0; i < 9; i++) bench.sync.suspect()
    await vi.advanceTimersByTimeAsync(149)
    expect(bench.statusAsked).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    await bench.idle()
    expect(bench.statusAsked).toBe(1)
    expect(bench.final.header.height).toBe(40)
  })

  it('asks nobody when the hint was only early, or after the end', async () => {
    const bench = new Bench({ a: honest(40) })
    bench.sync.suspect()
    bench.final = CHAIN[0] as HashedBlock
    await vi.advanceTimersByTimeAsync(200)
    bench.sync.suspect()
    bench.sync.stop()
    bench.sync.suspect()
    await vi.advanceTimersByTimeAsync(200)
    expect(bench.statusAsked).toBe(0)
  })

  it('goes on from the tip when consensus was faster', async () => {
    const bench = new Bench({ a: honest(600) })
    bench.isFinalizing = false
    await bench.caughtUp(600)
    bench.final = CHAIN[449] as HashedBlock
    bench.sync.finalized()
    await bench.idle()
    expect(bench.asked.at(-1)?.from).toBeGreaterThan(450)
    expect(bench.sync.status.isSyncing).toBe(false)
  })

  it('starts over from the tip when what was handed over never becomes final', async () => {
    const bench = new Bench({ a: honest(600) })
    bench.isLosing = true
    bench.sync.start()
    await bench.caughtUp(600)
    expect(bench.asked.at(-1)?.from).toBe(257)
    bench.isLosing = false
    await vi.advanceTimersByTimeAsync(12_000)
    await bench.idle()
    expect(bench.asked.map(({ from }) => from).filter((from) => from === 1)).toHaveLength(2)
    expect(bench.final.header.height).toBe(600)
    bench.sync.stop()
  })
})

describe('ranges', () => {
  /** Keeps answers back until the test lets them go. */
  function slowed(bench: Bench): { release: (peer: string) => void } {
    const held = new Map<string, (() => void)[]>()
    const { sync } = bench
    const fetcher = bench.fetcher
    const fetchRange = fetcher.fetchRange
    fetcher.fetchRange = async (from, count, peer) => {
      const answer = fetchRange(from, count, peer)
      await new Promise<void>((resolve) => held.set(peer, [...(held.get(peer) ?? []), resolve]))
      return await answer
    }
    expect(sync.status.isSyncing).toBe(false)
    return {
      release: (peer) =>
        held
          .get(peer)
          ?.splice(0)
          .forEach((go) => {
            go()
          }),
    }
  }

  it('are asked for from several peers at once, and taken in order', async () => {
    const bench = new Bench({ a: honest(600), b: honest(600), c: honest(600) })
    const { release } = slowed(bench)
    bench.sync.request({ height: asHeight(600) })
    let mostAtOnce = 0
    for (let round = 0; round < 40 && bench.final.header.height < 600; round++) {
      await bench.idle()
      const underWay = bench.asked.length - bench.taken.length / 128
      mostAtOnce = Math.max(mostAtOnce, underWay)
      // The last asked answers first.
      for (const peer of ['c', 'b', 'a']) release(peer)
    }
    await bench.idle()
    expect(bench.taken.map(({ header }) => header.height)).toEqual(
      Array.from({ length: 600 }, (_, i) => i + 1),
    )
    expect(mostAtOnce).toBeGreaterThanOrEqual(2)
    expect(bench.asked.map(({ from }) => from)).toEqual([1, 129, 257, 385, 513])
  })

  it('that end where an epoch does are asked for several at once, without asking for the status in between', async () => {
    const bench = new Bench({ a: honest(600), b: honest(600), c: honest(600) }, 10)
    const { release } = slowed(bench)
    await bench.sync.poll('a')
    let mostAtOnce = 0
    for (let round = 0; round < 100 && bench.final.header.height < 600; round++) {
      await bench.idle()
      mostAtOnce = Math.max(mostAtOnce, bench.asked.length - bench.taken.length / 10)
      for (const peer of ['c', 'b', 'a']) release(peer)
    }
    await bench.idle()
    expect(bench.taken.map(({ header }) => header.height)).toEqual(
      Array.from({ length: 600 }, (_, i) => i + 1),
    )
    expect(bench.asked.map(({ from }) => from)).toEqual(Array.from({ length: 60 }, (_, i) => 10 * i + 1))
    expect(mostAtOnce).toBe(3)
    // At the start, where no more may be held, and of all three at the end.
    expect(bench.statusAsked).toBe(5)
  })

  it("that come when consensus has passed them are nobody's fault", async () => {
    const bench = new Bench({ a: honest(600) }, 256)
    const { release } = slowed(bench)
    bench.sync.request({ height: asHeight(600) })
    await bench.idle()
    expect(bench.asked.map(({ from }) => from)).toEqual([1])
    bench.final = CHAIN[299] as HashedBlock
    bench.sync.finalized()
    for (let round = 0; round < 10; round++) {
      release('a')
      await bench.idle()
    }
    expect(bench.asked[1]).toEqual({ peer: 'a', from: 301 })
    expect(bench.told.refused).toBe(0)
    expect(bench.logger.lines.map(({ message }) => message)).not.toContain('peer paused')
    expect(bench.final.header.height).toBe(600)
  })

  it('that a peer keeps back are asked of another one', async () => {
    const bench = new Bench({ a: honest(600), b: honest(600) })
    const { release } = slowed(bench)
    bench.sync.request({ height: asHeight(100) })
    await bench.idle()
    const [first] = bench.asked
    await vi.advanceTimersByTimeAsync(2_000)
    await bench.idle()
    const [, second] = bench.asked
    expect(second?.from).toBe(1)
    expect(second?.peer).not.toBe(first?.peer)
    release(second?.peer ?? '')
    await bench.idle()
    expect(bench.final.header.height).toBe(128)
  })

  it('that every peer has deleted are told of, and not those of some', async () => {
    const pruned: Peer = { ...honest(600), range: () => refuse('pruned', '') }
    for (const [peers, expected] of [
      [{ a: pruned, b: pruned }, true],
      [{ a: pruned, b: honest(600) }, false],
    ] as const) {
      const bench = new Bench(peers)
      await bench.caughtUp(600)
      expect(bench.prunedTimes > 0).toBe(expected)
    }
  })
})

describe('a peer', () => {
  const wrong: [string, Peer][] = [
    [
      'with another chain',
      {
        ...honest(600),
        range: () => {
          const rival = blockOn(GENESIS, 9)
          const onRival = blockOn(rival, 10)
          return ok({ blocks: [onRival.bytes], certificate: certificateOf(onRival) })
        },
      },
    ],
    [
      'that leaves a block out',
      {
        ...honest(600),
        range: (from, count) => {
          const answer = honest(600).range(from, count)
          return answer.ok ? ok({ ...answer.value, blocks: answer.value.blocks.toSpliced(3, 1) }) : answer
        },
      },
    ],
    [
      'that stops before its certificate',
      {
        ...honest(600),
        range: (from, count) => {
          const answer = honest(600).range(from, count)
          return answer.ok ? ok({ ...answer.value, blocks: answer.value.blocks.slice(0, 5) }) : answer
        },
      },
    ],
    [
      'that forges certificates',
      {
        ...honest(600),
        range: () =>
          ok({
            blocks: [(CHAIN[0] as HashedBlock).bytes],
            certificate: certificateOf(CHAIN[0] as HashedBlock, [0, 1]),
          }),
      },
    ],
    [
      'that gives no certificate',
      {
        ...honest(600),
        range: () => ok({ blocks: [(CHAIN[0] as HashedBlock).bytes], certificate: null }),
      },
    ],
    ['that gives nothing', { ...honest(600), range: () => ok({ blocks: [], certificate: null }) }],
    [
      'that gives without end',
      {
        ...honest(600),
        range: () =>
          ok({
            blocks: CHAIN.map(({ bytes }) => bytes),
            certificate: certificateOf(CHAIN[599] as HashedBlock),
          }),
      },
    ],
    [
      'that gives garbage',
      { ...honest(600), range: () => ok({ blocks: [new Uint8Array(9)], certificate: new Uint8Array(3) }) },
    ],
    ['that refuses', { ...honest(600), range: () => refuse('busy', '') }],
  ]
  it.each(wrong)('%s costs one question, and is left alone for a while', async (_, peer) => {
    const bench = new Bench({ bad: peer, good: honest(600) })
    await bench.caughtUp(400)
    expect(bench.final.header.height).toBeGreaterThanOrEqual(400)
    expect(bench.taken.every((block, i) => block.hash === CHAIN[i]?.hash)).toBe(true)
    expect(bench.asked.filter((asked) => asked.peer === 'bad').length).toBeLessThanOrEqual(1)
  })

  it('that forges certificates is told of by the blocks that it sent', async () => {
    const [, forger] = wrong.find(([name]) => name === 'that forges certificates') ?? ['', honest(0)]
    const bench = new Bench({ a: forger })
    await bench.caughtUp(100)
    expect(bench.told.taken).toBe(0)
    expect(bench.told.refused).toBeGreaterThan(0)
  })

  it.each(wrong)('%s, alone, ends the attempt instead of being asked for ever', async (_, peer) => {
    const bench = new Bench({ bad: peer })
    await bench.caughtUp(400)
    expect(bench.sync.status.isSyncing).toBe(false)
    expect(bench.asked).toHaveLength(1)
    bench.nowMs += 2_000
    await bench.caughtUp(400)
    expect(bench.asked).toHaveLength(2)
  })

  it('that claims a height it cannot prove moves nothing', async () => {
    const bench = new Bench({
      liar: {
        ...honest(10),
        status: () => ok({ certificate: certificateOf(CHAIN[599] as HashedBlock, [0]) }),
      },
    })
    await bench.sync.poll()
    await bench.idle()
    expect([bench.asked, bench.sync.status.targetHeight]).toEqual([[], 0])
    await bench.sync.poll('nobody')
    expect(bench.asked).toEqual([])
  })
})

describe('polling', () => {
  it('asks for progress when there is none here, and not when there is', async () => {
    const bench = new Bench({ a: honest(50) })
    bench.sync.start()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(bench.final.header.height).toBe(50)
    const { length } = bench.asked
    await vi.advanceTimersByTimeAsync(8_000)
    expect(bench.asked).toHaveLength(length)
    bench.sync.stop()
    bench.peers.set('a', honest(60))
    await vi.advanceTimersByTimeAsync(8_000)
    expect(bench.asked).toHaveLength(length)
  })
})
