/** From one validator set to the next: what a proof must have, and what none can do without. */
import { describe, expect, it } from 'vitest'
import { blockHash } from '../../../src/codec/block.ts'
import { followHandOver, setInEpoch } from '../../../src/ledger/hand-over.ts'
import { validatorSetRoot } from '../../../src/ledger/staking/staking-root.ts'
import type { BlockHeader } from '../../../src/types/block.ts'
import type { QuorumCertificate } from '../../../src/types/certificates.ts'
import { asEpoch, asHeight, type GenesisHash } from '../../../src/types/primitives.ts'
import type { HandOver } from '../../../src/types/snapshot.ts'
import type { ValidatorSet } from '../../../src/types/validator-set.ts'
import { certificate, FinalChain } from '../../support/final-chain.ts'
import { GENESIS } from './fixtures.ts'

const OLD: ValidatorSet = { epoch: asEpoch(0), validators: GENESIS.validators }
const NEXT = GENESIS.validators.slice(1).map((validator) => ({ ...validator, stake: 5n }))
const EPOCH_BLOCKS = 10

const base = new FinalChain().next().block
const header: BlockHeader = {
  ...base.header,
  epoch: asEpoch(2),
  height: asHeight(30),
  validatorSetRoot: validatorSetRoot(NEXT),
}
const hash = blockHash(header)
const CERTIFICATE: QuorumCertificate = {
  ...certificate(base, 'commit'),
  epoch: header.epoch,
  height: header.height,
  blockHash: hash,
}
const PROOF: HandOver = { header, certificate: CERTIFICATE, validators: NEXT }

const asked: ValidatorSet[] = []
const context = {
  genesisHash: header.genesisHash,
  epochBlocks: EPOCH_BLOCKS,
  isCertified: (_: QuorumCertificate, set: ValidatorSet) => {
    asked.push(set)
    return true
  },
}

describe('a hand-over', () => {
  it('leads to the next set, by the keys of the old one in the epoch it ended', () => {
    expect(followHandOver(OLD, PROOF, context)).toEqual({ ok: true, value: { epoch: 3, validators: NEXT } })
    expect(asked.at(-1)).toEqual({ epoch: 2, validators: OLD.validators })
  })

  const refused: [string, HandOver, Partial<typeof context>, ValidatorSet?][] = [
    ['of another network', PROOF, { genesisHash: '11'.repeat(32) as GenesisHash }],
    ['from before the set that is trusted', PROOF, {}, { ...OLD, epoch: asEpoch(3) }],
    ['on a block in the middle of an epoch', { ...PROOF, header: { ...header, height: asHeight(29) } }, {}],
    ['with another epoch in the header', { ...PROOF, header: { ...header, epoch: asEpoch(1) } }, {}],
    ['in a network of one epoch', PROOF, { epochBlocks: 0 }],
    ['with a pre-commit certificate', { ...PROOF, certificate: { ...CERTIFICATE, kind: 'pre-commit' } }, {}],
    [
      'with the certificate of another block',
      { ...PROOF, certificate: { ...CERTIFICATE, blockHash: base.hash } },
      {},
    ],
    [
      'with a certificate of another epoch',
      { ...PROOF, certificate: { ...CERTIFICATE, epoch: asEpoch(1) } },
      {},
    ],
    ['whose certificate does not hold', PROOF, { isCertified: () => false }],
    ['to another set than the block names', { ...PROOF, validators: GENESIS.validators }, {}],
    ['to nobody', { ...PROOF, validators: [] }, {}],
  ]
  it.each(refused)('%s is refused', (_, proof, change, set = OLD) => {
    expect(followHandOver(set, proof, { ...context, ...change })).toMatchObject({
      ok: false,
      code: 'wrong-hand-over',
    })
  })
})

it('a set goes on into later epochs, never back', () => {
  expect(setInEpoch(OLD, asEpoch(4))).toEqual({ ...OLD, epoch: 4 })
  expect(setInEpoch({ ...OLD, epoch: asEpoch(2) }, asEpoch(1))).toBe(null)
})
