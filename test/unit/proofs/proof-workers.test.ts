/** Threads that verify: many at a time, each proof once, blocks first; and what is done when a thread dies or hangs. */
import { afterEach, describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import { BlockProofs } from '../../../src/proofs/block-proofs.ts'
import { ProofVerdicts } from '../../../src/proofs/proof-verdicts.ts'
import { ProofWorkers, type ProofWorkersOptions } from '../../../src/proofs/proof-workers.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import { shieldedTransaction, withWrongProof } from '../../support/shielded/shielded-transaction.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const RIGHT = shieldedTransaction(1)
const wrong = (number: number): ShieldedTransaction => withWrongProof(RIGHT, number)
const KILLER: ShieldedTransaction = { ...RIGHT, proof: new Uint8Array(0) }
const entry = (name: string): URL => new URL(`../../support/proofs/${name}.ts`, import.meta.url)

const running: ProofWorkers[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((workers) => workers.stop()))
})

function started(options: Partial<ProofWorkersOptions> = {}) {
  const log: string[] = []
  const lines: string[] = []
  const verdicts = new ProofVerdicts((place, isRight) => void log.push(`${place} ${isRight}`))
  const line = (_: object, message: string) => void lines.push(message)
  const workers = new ProofWorkers({
    verdicts,
    onEnded: (end) => void log.push(end),
    logger: { debug: line, info: line, warn: line, error: line },
    ...options,
  })
  running.push(workers)
  return { verdicts, workers, log, lines }
}

describe('workers', () => {
  it('verify beside this thread, and what they find is remembered', async () => {
    const { verdicts, workers, log } = started()
    const asked = [RIGHT, wrong(1), wrong(2), wrong(3)].map((each) => workers.verify(each, 'pool'))
    expect(await Promise.all(asked)).toEqual([true, false, false, false])
    expect(verdicts.verify(RIGHT)).toBe(true)
    expect(log.toSorted()).toEqual([
      'cache true',
      'worker false',
      'worker false',
      'worker false',
      'worker true',
    ])
    expect(await workers.verify(RIGHT, 'block')).toBe(true)
    expect(log.length).toBe(5)
  })

  it('verify a proof once, however many ask while it is under way', async () => {
    const { workers, log } = started()
    const asked = [
      workers.verify(RIGHT, 'pool'),
      workers.verify({ ...RIGHT }, 'block'),
      workers.verify(RIGHT, 'pool'),
    ]
    expect(await Promise.all(asked)).toEqual([true, true, true])
    expect(log).toEqual(['worker true'])
  })

  it('take blocks first, and what a block waits for as if it had come with it', async () => {
    const order: string[] = []
    const { workers } = started({ threadsMax: 1 })
    const ask = (name: string, transaction: ShieldedTransaction, urgency: 'block' | 'pool') =>
      workers.verify(transaction, urgency).then(() => void order.push(name))
    const asked = [1, 2, 3, 4].map((i) => ask(`pool ${i}`, wrong(i), 'pool'))
    asked.push(ask('block 5', wrong(5), 'block'), ask('block 4', wrong(4), 'block'))
    await Promise.all(asked)
    // The first two were given to the thread before the block came.
    expect(order).toEqual(['pool 1', 'pool 2', 'block 5', 'pool 4', 'block 4', 'pool 3'])
  })

  it('take no more than may wait, each kind by itself', async () => {
    const counts: number[] = []
    const { workers } = started({
      threadsMax: 1,
      waitingMax: { block: 1, pool: 2 },
      onWaiting: (count) => void counts.push(count),
    })
    const pool = [1, 2, 3, 4, 5].map((i) => workers.verify(wrong(i), 'pool'))
    expect(workers.waiting).toBe(2)
    const block = [6, 7].map((i) => workers.verify(wrong(i), 'block'))
    expect(await Promise.all([...pool, ...block])).toEqual([false, false, false, false, null, false, null])
    expect([Math.max(...counts), counts.at(-1)]).toEqual([3, 0])
  })

  it('that die are replaced; what they had is verified by another, and at last here', async () => {
    const { verdicts, workers, log } = started({ entry: entry('crashing-worker'), threadsMax: 1 })
    const asked = [workers.verify(KILLER, 'pool'), ...[1, 2, 3].map((i) => workers.verify(wrong(i), 'pool'))]
    expect(await Promise.all(asked)).toEqual([false, false, false, false])
    expect(verdicts.known(verdicts.hashOf(KILLER))).toBe(false)
    expect(log.filter((each) => each === 'crashed')).toHaveLength(2)
    expect(log).toContain('inline false')
  })

  it('that hang are replaced, and what they had is verified here', async () => {
    const { workers, log } = started({ entry: entry('hanging-worker'), threadsMax: 1, silentMaxMs: 300 })
    expect(await workers.verify(RIGHT, 'pool')).toBe(true)
    expect(log).toEqual(['hung', 'hung', 'inline true'])
  })

  it.each([
    ['die at once', entry('broken-worker')],
    ['the system does not give', new URL('http://127.0.0.1/none')],
  ])('that %s are done without for a while: everything is verified here', async (_, broken) => {
    const { workers, log, lines } = started({ entry: broken, threadsMax: 1 })
    const asked = Array.from({ length: 8 }, (_, i) => workers.verify(wrong(i + 1), 'pool'))
    expect(await Promise.all(asked)).toEqual(new Array(8).fill(false))
    expect(log.filter((each) => each === 'crashed')).toHaveLength(4)
    expect(lines).toContain('proofs are verified on the main thread for a while')
    expect(await workers.verify(RIGHT, 'block')).toBe(true)
    expect(log.filter((each) => each === 'crashed')).toHaveLength(4)
  })

  it('that are stopped give no verdict, to nobody', async () => {
    const { workers, log } = started({ threadsMax: 1 })
    const asked = [1, 2, 3].map((i) => workers.verify(wrong(i), 'pool'))
    await workers.stop()
    expect(await Promise.all(asked)).toEqual([null, null, null])
    expect(await workers.verify(RIGHT, 'block')).toBe(null)
    expect(log).toEqual([])
  })
})

describe('a block', () => {
  const block = (...transactions: ShieldedTransaction[]) => ({
    transactions: [numberedTransaction(1), ...transactions.map((each) => hashTransaction(each))],
  })

  it('without proofs, or whose proofs have all been seen, waits for nothing', () => {
    const { verdicts, workers } = started()
    const proofs = new BlockProofs(verdicts, workers)
    expect(proofs.prepare(block())).toBe(null)
    verdicts.verify(RIGHT)
    verdicts.verify(wrong(1))
    expect(proofs.prepare(block(RIGHT, wrong(1)))).toBe(null)
  })

  it('waits for those that nobody has seen, and asks for no other', async () => {
    const { verdicts, workers, log } = started()
    const proofs = new BlockProofs(verdicts, workers)
    verdicts.verify(wrong(1))
    await proofs.prepare(block(RIGHT, wrong(1), wrong(2)))
    expect(log.toSorted()).toEqual(['inline false', 'worker false', 'worker true'])
    expect([RIGHT, wrong(1), wrong(2)].map((each) => verdicts.verify(each))).toEqual([true, false, false])
    expect(log.filter((each) => each.startsWith('inline'))).toHaveLength(1)
  })
})
