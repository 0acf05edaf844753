/** Whole nodes around the core: real signatures and ledger, durable before visible, every outcome of the ingress. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hashBlock } from '../../../src/codec/block.ts'
import { encodeQuorumCertificate } from '../../../src/codec/certificates.ts'
import { encodeFinalAnnouncement } from '../../../src/codec/final-announcement.ts'
import { decodeMessage, encodeMessage } from '../../../src/codec/messages.ts'
import { decodeSafetyRecord } from '../../../src/codec/safety-record.ts'
import { ALL_VALID } from '../../../src/ledger/verdicts/findings.ts'
import { recoverSafety } from '../../../src/runtime/recover-safety.ts'
import type { FinalizedBlock } from '../../../src/types/ledger-state.ts'
import { asEpoch, asHeight, asUnixMs, asView, type ValidatorId } from '../../../src/types/primitives.ts'
import type { VerdictRecord } from '../../../src/types/verdict.ts'
import { MemoryNetwork, type MemoryNode } from '../../support/consensus-nodes.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const waiting = { timeout: 20_000, interval: 5 }
let network: MemoryNetwork
afterEach(async () => {
  await network.stop()
})

const first = (): MemoryNode => network.nodes[0] as MemoryNode

/** A running network in which each node has this many final blocks. */
async function running(height: number, followers = 0): Promise<void> {
  network = new MemoryNetwork(4, followers)
  network.start()
  await vi.waitFor(() => {
    for (const { chain, id } of network.nodes)
      if (id !== null) expect(chain.length).toBeGreaterThanOrEqual(height)
  }, waiting)
}

describe('a node that stops', () => {
  it('waits for what is final and held back by its safety record: nothing is written after its end', async () => {
    await running(1)
    const node = first()
    node.log.isHeld = true
    const height = (): number => node.consensus.look().final.header.height
    await vi.waitFor(() => expect(height()).toBeGreaterThan(node.chain.length), waiting)
    let isStopped = false
    const stopped = node.consensus.stop().then(() => {
      isStopped = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isStopped).toBe(false)
    node.log.release()
    await stopped
    expect(node.chain.length).toBe(height())
  })

  it('does not wait for a record that failed', async () => {
    await running(1)
    const node = first()
    node.log.failure = new Error('EIO')
    await vi.waitFor(() => expect(node.fatal.length).toBeGreaterThan(0), waiting)
    await node.consensus.stop()
    expect(node.fatal).toHaveLength(1)
  })
})

describe('four nodes', () => {
  it('judge a request alike, once, and certify the state after it', async () => {
    await running(1)
    const transaction = numberedTransaction(1)
    for (const node of network.nodes) node.offer(transaction)
    const holder = (node: MemoryNode): FinalizedBlock | undefined =>
      node.chain.find(({ changes }) => changes.verdicts.length > 0)
    await vi.waitFor(() => {
      for (const node of network.nodes) expect(holder(node)).toBeDefined()
    }, waiting)
    const blocks = network.nodes.map((node) => holder(node) as FinalizedBlock)
    expect(new Set(blocks.map(({ block, stateRoot }) => `${block.hash} ${stateRoot}`)).size).toBe(1)
    for (const { block, changes, answers } of blocks) {
      const [record] = changes.verdicts as [VerdictRecord]
      const { agreeing } = record
      expect(record).toMatchObject({
        requestKey: transaction.requestKey,
        status: 'valid',
        findings: ALL_VALID,
        round: 0,
        decidedAt: block.header.height,
        dissenting: 0,
        eligibleStake: 4n,
      })
      // Commits in a later block than the request, openings two blocks later at the earliest.
      expect(record.decidedAt).toBeGreaterThanOrEqual(record.height + 3)
      expect(agreeing.validators).toBeGreaterThanOrEqual(3)
      expect(agreeing.stake).toBe(BigInt(agreeing.validators))
      expect(answers).toHaveLength(1)
      expect(answers[0]?.validationTimeUs).toBeGreaterThan(0n)
    }
    const height = blocks[0]?.block.header.height ?? 0
    await vi.waitFor(() => {
      for (const { certificates } of network.nodes) {
        expect(certificates.find((certificate) => certificate.height === height)?.stateRoot).toBe(
          blocks[0]?.stateRoot,
        )
      }
    }, waiting)
    expect(network.nodes.map(({ pool, fatal }) => [pool.size, fatal])).toEqual(Array(4).fill([0, []]))
  })

  it('say nothing signed whose record is not durable (S0)', async () => {
    await running(3)
    let checked = 0
    for (const { from, bytes, durable } of network.said) {
      const message = decodeMessage(bytes)
      if (!message.ok || !['proposal', 'prepare', 'pre-commit', 'timeout'].includes(message.value.kind))
        continue
      const { value } = message
      const fields = from.log.records.slice(0, durable).map((record) => {
        const decoded = decodeSafetyRecord(record)
        if (!decoded.ok) throw new Error(decoded.detail)
        return decoded.value
      })
      const isRecorded = fields.some(
        ({ prepare, preCommit, timeout, proposal }) =>
          (value.kind === 'prepare' && prepare?.view === value.view) ||
          (value.kind === 'pre-commit' && preCommit?.view === value.view) ||
          (value.kind === 'timeout' && timeout?.view === value.view) ||
          (value.kind === 'proposal' &&
            proposal?.view === value.block.header.view &&
            prepare?.blockHash === value.block.hash),
      )
      expect(isRecorded, `${value.kind}`).toBe(true)
      checked++
    }
    expect(checked).toBeGreaterThan(20)
    const recovered = recoverSafety(first().log.records)
    expect(recovered.prepare?.view).toBeGreaterThanOrEqual(3)
  })

  it('hand the log a snapshot when it asks for one', async () => {
    await running(2)
    first().log.wantsCompaction = true
    await vi.waitFor(() => expect(first().log.snapshots).toHaveLength(1), waiting)
    const snapshot = decodeSafetyRecord(first().log.snapshots[0] as Uint8Array)
    expect(snapshot).toMatchObject({ ok: true, value: { prepare: { kind: 'prepare' }, preCommit: {} } })
  })
})

describe('a disk', () => {
  it('that is slow holds back every word until it is done', async () => {
    await running(1)
    const node = first()
    node.log.isHeld = true
    await vi.waitFor(() => expect(node.log.waiting).toBe(1), waiting)
    const before = network.said.filter(({ from }) => from === node).length
    await vi.waitFor(() => {
      for (const other of network.nodes.slice(1)) expect(other.chain.length).toBeGreaterThan(4)
    }, waiting)
    expect(network.said.filter(({ from }) => from === node)).toHaveLength(before)
    node.log.release()
    await vi.waitFor(() => {
      expect(network.said.filter(({ from }) => from === node).length).toBeGreaterThan(before)
    }, waiting)
  })

  it('that fails is fatal, and nothing leaves afterwards', async () => {
    await running(1)
    const node = first()
    node.log.failure = new Error('no space')
    await vi.waitFor(() => expect(node.fatal).toContain(node.log.failure), waiting)
    const said = network.said.filter(({ from }) => from === node).length
    await vi.waitFor(() => {
      for (const other of network.nodes.slice(1)) expect(other.chain.length).toBeGreaterThan(3)
    }, waiting)
    expect(network.said.filter(({ from }) => from === node)).toHaveLength(said)
  })

  it('that loses a final block is fatal, once, and no later block is written', async () => {
    await running(1)
    const node = first()
    const { length } = node.chain
    node.writeFailure = new Error('input/output error')
    await vi.waitFor(() => expect(node.fatal.length).toBeGreaterThan(0), waiting)
    node.writeFailure = null
    await vi.waitFor(() => {
      for (const other of network.nodes.slice(1)) expect(other.chain.length).toBeGreaterThan(length + 3)
    }, waiting)
    expect(node.fatal).toHaveLength(1)
    expect(node.chain.length).toBeLessThanOrEqual(length + 1)
  })
})

describe('what comes in', () => {
  it('is accepted, ignored, or refused by name', async () => {
    await running(2)
    const node = first()
    const other = network.nodes[1]?.id as ValidatorId
    const votes = network.said.filter(({ from }) => from.id === other).map(({ bytes }) => bytes)
    const vote = votes.find((bytes) => {
      const message = decodeMessage(bytes)
      return message.ok && message.value.kind === 'prepare'
    }) as Uint8Array
    const decoded = decodeMessage(vote)
    if (!decoded.ok || decoded.value.kind !== 'prepare') throw new Error('a vote')
    const { view } = node.consensus.look()
    const forged = encodeMessage({ ...decoded.value, view: asView(view + 3) })
    const question = encodeMessage({ kind: 'certificate-request', view: asView(1) })
    expect(node.consensus.receive('ee'.repeat(32) as ValidatorId, question)).toBe('not-a-validator')
    expect(node.consensus.receive(other, Uint8Array.of(200, 1))).toBe('malformed')
    expect(node.consensus.receive(other, new Uint8Array(0))).toBe('malformed')
    expect(node.consensus.receive(other, encodeMessage({ ...decoded.value, epoch: asEpoch(5) }))).toBe(
      'ignored',
    )
    expect(node.consensus.receive(other, forged)).toBe('bad-signature')
    expect(node.consensus.receive(other, question)).toBe('accepted')
    expect(network.nodes.flatMap(({ outcomes }) => outcomes)).toContain('accepted')
    expect(network.nodes.flatMap(({ outcomes }) => outcomes)).not.toContain('bad-signature')
  })
})

describe('an announced block', () => {
  it('is taken when its certificate holds, ignored when it is known, else refused', async () => {
    network = new MemoryNetwork(4, 1)
    const follower = network.nodes[4] as MemoryNode
    network.start()
    await vi.waitFor(() => expect(first().chain.length).toBeGreaterThanOrEqual(3), waiting)
    const [one, two, three] = first().chain as [FinalizedBlock, FinalizedBlock, FinalizedBlock]
    const announce = ({ block, finality }: Pick<FinalizedBlock, 'block' | 'finality'>): string =>
      follower.consensus.announced(encodeFinalAnnouncement({ block, finality }))
    const { block, finality } = one
    const body = numberedTransaction(9)
    const other = hashBlock({
      header: { ...block.header, timestamp: asUnixMs(block.header.timestamp + 1) },
      transactions: [],
    })
    expect(follower.consensus.announced(new Uint8Array(9))).toBe('reject')
    expect(announce({ block: other, finality })).toBe('reject')
    expect(announce({ block: hashBlock({ header: block.header, transactions: [body] }), finality })).toBe(
      'reject',
    )
    expect(announce({ block, finality: { ...finality, kind: 'prepare' } })).toBe('reject')
    expect(announce({ block, finality: { ...finality, signatures: finality.signatures.slice(1) } })).toBe(
      'reject',
    )
    expect(announce({ block, finality: { ...finality, height: asHeight(2) } })).toBe('reject')
    expect(announce({ block: two.block, finality })).toBe('reject')
    // Of validators that are not known here yet: no word against it, and a reason to ask how far the chain is.
    expect(follower.suspicions).toBe(0)
    expect(announce({ block: two.block, finality: { ...two.finality, epoch: asEpoch(5) } })).toBe('ignore')
    expect(follower.suspicions).toBe(1)
    expect(announce(one)).toBe('accept')
    await vi.waitFor(() => expect(follower.chain).toHaveLength(1), waiting)
    expect(announce(one)).toBe('ignore')
    // A certificate on a descendant proves no block, only how far the chain is: the blocks are fetched.
    expect(announce({ block: two.block, finality: three.finality })).toBe('accept')
    await vi.waitFor(() => expect(follower.chain.length).toBeGreaterThanOrEqual(3), waiting)
    expect(follower.fatal).toEqual([])
    expect(follower.log.records).toEqual([])
  })

  it('far above asks for the range', async () => {
    network = new MemoryNetwork(4, 1)
    const follower = network.nodes[4] as MemoryNode
    network.start()
    await vi.waitFor(() => expect(first().chain.length).toBeGreaterThanOrEqual(4), waiting)
    const last = first().chain[3] as FinalizedBlock
    expect(follower.consensus.announced(encodeFinalAnnouncement(last))).toBe('accept')
    expect(follower.synced).toEqual([4])
    const blocks = first().chain.slice(0, 4)
    const verified = follower.consensus.verifyFinality(encodeQuorumCertificate(last.finality))
    if (verified === null || 'claimedHeight' in verified) throw new Error('a certificate')
    follower.consensus.take(
      blocks.map(({ block }) => block),
      verified,
    )
    await vi.waitFor(
      () => expect(follower.chain.map(({ block }) => block.header.height)).toEqual([1, 2, 3, 4]),
      waiting,
    )
    expect(
      follower.consensus.verifyFinality(encodeQuorumCertificate({ ...last.finality, kind: 'prepare' })),
    ).toBe(null)
    expect(follower.consensus.verifyFinality(new Uint8Array(3))).toBe(null)
  })
})
