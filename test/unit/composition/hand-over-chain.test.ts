/** The way from genesis to a set: from what is kept, from peers where something is missing, and never past a forgery. */
import { describe, expect, it } from 'vitest'
import { encodeHandOver } from '../../../src/codec/snapshot.ts'
import { HandOverChain } from '../../../src/composition/hand-over-chain.ts'
import { quorumCheck } from '../../../src/ledger/quorum-check.ts'
import { validatorSetRoot } from '../../../src/ledger/staking/staking-root.ts'
import { asEpoch, type Epoch } from '../../../src/types/primitives.ts'
import type { HandOver } from '../../../src/types/snapshot.ts'
import {
  certificateOf,
  EPOCH_BLOCKS,
  FOUNDERS,
  handOverTo,
  headerAt,
  RECEIPT_GENESIS,
  SUCCESSORS,
  TRUST,
  validatorsOf,
  verifySignature,
} from '../../support/receipt-fixture.ts'

const there = handOverTo(SUCCESSORS)
/** The founders are back at the end of epoch 2. */
const backHeader = headerAt(3 * EPOCH_BLOCKS, { validatorSetRoot: validatorSetRoot(validatorsOf(FOUNDERS)) })
const back: HandOver = {
  header: backHeader,
  certificate: certificateOf(backHeader, SUCCESSORS, 'commit'),
  validators: validatorsOf(FOUNDERS),
}
const forged: HandOver = { ...there, certificate: certificateOf(there.header, SUCCESSORS, 'commit') }
const ROOT = {
  founders: validatorSetRoot(validatorsOf(FOUNDERS)),
  successors: validatorSetRoot(validatorsOf(SUCCESSORS)),
}

function chainOf(kept: readonly HandOver[], peers: readonly HandOver[] = []) {
  const rows = new Map(kept.map((handOver) => [handOver.header.epoch, encodeHandOver(handOver)]))
  const asked: Epoch[] = []
  const chain = new HandOverChain({
    handOvers: {
      from: async (epoch) => {
        const next = [...rows.keys()].filter((at) => at >= epoch).sort((a, b) => a - b)[0]
        return next === undefined ? null : (rows.get(next) ?? null)
      },
      put: async (epoch, bytes) => void rows.set(epoch, bytes),
    },
    founders: { epoch: asEpoch(0), validators: RECEIPT_GENESIS.validators },
    genesisHash: TRUST.genesisHash,
    epochBlocks: EPOCH_BLOCKS,
    isCertified: quorumCheck(TRUST.genesisHash, verifySignature),
    fetch: async function* (epoch) {
      asked.push(epoch)
      yield new Uint8Array([1, 2, 3])
      for (const handOver of peers) yield encodeHandOver(handOver)
    },
  })
  return { chain, rows, asked }
}

const epochs = (handOvers: readonly HandOver[]): number[] => handOvers.map(({ header }) => header.epoch)

describe('the way to a set', () => {
  it('of founders who stayed needs no proof', async () => {
    const { chain, asked } = chainOf([])
    expect(await chain.reach(asEpoch(5), ROOT.founders)).toBe(true)
    expect(await chain.between(asEpoch(0), asEpoch(5))).toEqual([])
    expect(asked).toEqual([])
  })

  it('leads through what is kept, no further than it is asked', async () => {
    const { chain, asked } = chainOf([there, back])
    expect(await chain.reach(asEpoch(2), ROOT.successors)).toBe(true)
    expect(epochs(await chain.between(asEpoch(0), asEpoch(2)))).toEqual([0])
    expect(await chain.reach(asEpoch(4), ROOT.founders)).toBe(true)
    expect(epochs(await chain.between(asEpoch(0), asEpoch(4)))).toEqual([0, 2])
    expect(epochs(await chain.between(asEpoch(1), asEpoch(4)))).toEqual([2])
    expect((await chain.setIn(asEpoch(1))).validators).toEqual(validatorsOf(SUCCESSORS))
    expect((await chain.setIn(asEpoch(3))).validators).toEqual(validatorsOf(FOUNDERS))
    expect(asked).toEqual([])
  })

  it('is filled from peers, checked, and kept', async () => {
    const { chain, rows, asked } = chainOf([], [forged, there])
    expect(await chain.reach(asEpoch(1), ROOT.successors)).toBe(true)
    expect(asked).toEqual([0])
    expect(rows.get(asEpoch(0))).toEqual(encodeHandOver(there))
    expect(epochs(await chain.between(asEpoch(0), asEpoch(1)))).toEqual([0])
  })

  it('is not there when nobody has the proof, and is found later', async () => {
    const { chain, rows } = chainOf([], [forged])
    expect(await chain.reach(asEpoch(1), ROOT.successors)).toBe(false)
    expect(rows.size).toBe(0)
    rows.set(asEpoch(0), encodeHandOver(there))
    expect(await chain.reach(asEpoch(1), ROOT.successors)).toBe(true)
  })

  it('to a set that is back leaves out what was missed in between', async () => {
    const { chain } = chainOf([back])
    expect(await chain.reach(asEpoch(4), ROOT.founders)).toBe(true)
    expect(await chain.between(asEpoch(0), asEpoch(4))).toEqual([])
  })

  it('asks for a gap in the middle', async () => {
    const { chain } = chainOf([back], [there])
    expect(await chain.reach(asEpoch(2), ROOT.successors)).toBe(true)
    expect(await chain.reach(asEpoch(3), ROOT.founders)).toBe(true)
    expect(epochs(await chain.between(asEpoch(0), asEpoch(3)))).toEqual([0, 2])
  })
})
