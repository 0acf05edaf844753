/** What a receipt must have: every check has a forgery that only it refuses, with its reason. */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../../src/codec/hex.ts'
import { recentBlocksOf } from '../../../../src/codec/recent-blocks.ts'
import { frontierRoot } from '../../../../src/ledger/frontier.ts'
import { EMPTY_ACCUMULATORS } from '../../../../src/ledger/genesis-state.ts'
import { isOnRequestId, isValid } from '../../../../src/ledger/receipt/verdict-facts.ts'
import { type ReceiptRefusal, verifyReceipt } from '../../../../src/ledger/receipt/verify-receipt.ts'
import { genesisStaking } from '../../../../src/ledger/staking/genesis-staking.ts'
import { validatorSetRoot } from '../../../../src/ledger/staking/staking-root.ts'
import { fixedRoots, stateBranch, stateRoot, stateRootOfVerdicts } from '../../../../src/ledger/state-root.ts'
import { genesisVoting } from '../../../../src/ledger/verdicts/genesis-voting.ts'
import { asEpoch, asHeight, asValidatorIndex, type BlockHash } from '../../../../src/types/primitives.ts'
import type { Receipt, ReceiptTrust } from '../../../../src/types/receipt.ts'
import {
  altered,
  certificateOf,
  FOUNDERS,
  fromBlock,
  fromSet,
  handOverTo,
  headerAt,
  listOf,
  RECEIPT_GENESIS,
  receiptOf,
  SUCCESSORS,
  TRUST,
  validatorsOf,
  verifySignature,
} from '../../../support/receipt-fixture.ts'

const check = (receipt: Receipt, trust: ReceiptTrust = TRUST) =>
  verifyReceipt(receipt, trust, verifySignature)

const PLAIN = receiptOf()
const CHANGED = receiptOf({ isChanged: true })

describe('a receipt', () => {
  it('proves its verdict to who trusts genesis', () => {
    const proven = check(PLAIN)
    expect(proven).toMatchObject({
      ok: true,
      value: {
        position: 2,
        voters: 3,
        signedStake: 3n,
        totalStake: 4n,
        handOvers: 0,
        block: { height: 3 },
        set: { epoch: 0 },
      },
    })
    if (!proven.ok) return
    const { record } = proven.value
    expect(isValid(record)).toBe(true)
    expect(isOnRequestId(record, record.requestKey)).toBe(true)
    expect(isOnRequestId(record, 'another')).toBe(false)
  })

  it.each([1, 2, 3, 8, 31, 70])('holds for every place of %i verdicts', (size) => {
    for (let position = 0; position < size; position += Math.max(1, Math.floor(size / 7))) {
      expect(check(receiptOf({ size, position }))).toMatchObject({ ok: true, value: { position } })
    }
  })

  it('leads through a change of the validators', () => {
    expect(check(CHANGED)).toMatchObject({
      ok: true,
      value: { handOvers: 1, set: { epoch: 2, validators: validatorsOf(SUCCESSORS) } },
    })
  })

  it.each([
    ['a block', fromBlock(CHANGED)],
    ['a set', fromSet(CHANGED)],
  ])('starts from %s that is trusted', (_, { receipt, trust }) => {
    expect(check(receipt, trust)).toMatchObject({ ok: true, value: { handOvers: 0, set: { epoch: 2 } } })
  })
})

describe('the branch to the state root', () => {
  it('gives the root that the whole state has', () => {
    const { frontier } = listOf([altered('00'.repeat(32)) as never])
    const accumulators = {
      recentBlocks: recentBlocksOf(1, [altered('00'.repeat(32)) as BlockHash]),
      nullifiers: frontier,
      verdicts: frontier,
      shielded: EMPTY_ACCUMULATORS.shielded,
    }
    const staking = genesisStaking(RECEIPT_GENESIS)
    const fixed = fixedRoots(RECEIPT_GENESIS.parameters, RECEIPT_GENESIS.policy)
    const branch = stateBranch(accumulators, staking, genesisVoting(staking), fixed)
    const list = fromHex(frontierRoot(frontier))
    expect(stateRootOfVerdicts(list, branch)).toBe(
      stateRoot(accumulators, staking, genesisVoting(staking), fixed),
    )
    expect(branch.validators).toBe(validatorSetRoot(staking.validators))
  })
})

/** A receipt of another header, signed anew by who may sign it. */
function resigned(change: Parameters<typeof headerAt>[1]): Receipt {
  const header = { ...PLAIN.header, ...change }
  return { ...PLAIN, header, certificate: certificateOf(header, FOUNDERS) }
}

const signaturesOf = (voters: readonly number[], keys = FOUNDERS): Receipt => ({
  ...PLAIN,
  certificate: certificateOf(PLAIN.header, keys, 'pre-commit', voters),
})
const other = receiptOf({ position: 3 })
const handOver = handOverTo(SUCCESSORS)
const stranger = {
  ...handOver,
  header: headerAt(4, { validatorSetRoot: validatorSetRoot(validatorsOf(SUCCESSORS)) }),
}
const block = fromBlock(CHANGED)
const set = fromSet(CHANGED)
const start = block.receipt.startBlock ?? { header: PLAIN.header, validators: [] }

const FORGED: [string, ReceiptRefusal, string | RegExp, Receipt, ReceiptTrust?][] = [
  [
    'of another network',
    'wrong-network',
    'you trust',
    PLAIN,
    { ...TRUST, genesisHash: altered(TRUST.genesisHash) },
  ],
  [
    'from an epoch, under genesis',
    'start-not-trusted',
    'it starts with the validators of epoch 1, you trust those of epoch 0',
    set.receipt,
  ],
  ['from genesis, for one who trusts a block', 'start-not-trusted', 'from height 4 on', CHANGED, block.trust],
  ['from genesis, for one who trusts a later set', 'start-not-trusted', 'of epoch 1', CHANGED, set.trust],
  ['from a block, under genesis', 'start-not-trusted', 'it starts with block 4', block.receipt],
  [
    'from another block',
    'wrong-start-block',
    'you trust',
    { ...block.receipt, startBlock: { ...start, header: { ...start.header, view: 99 as never } } },
    block.trust,
  ],
  [
    'from the block at another height',
    'wrong-start-block',
    'at height 4',
    block.receipt,
    { ...block.trust, height: asHeight(5) } as ReceiptTrust,
  ],
  [
    'from a block, with another epoch',
    'wrong-start-epoch',
    'of 1',
    { ...block.receipt, startEpoch: asEpoch(0) },
    block.trust,
  ],
  [
    'from a block, with other validators',
    'wrong-start-set',
    'block 4',
    { ...block.receipt, startBlock: { ...start, validators: validatorsOf(FOUNDERS) } },
    block.trust,
  ],
  ['with a hand-over left out', 'wrong-signature', 'voter 0', { ...CHANGED, handOvers: [] }],
  [
    'with a hand-over twice',
    'wrong-hand-over',
    'of epoch 1',
    { ...CHANGED, handOvers: [handOver, handOver] },
  ],
  [
    'with a hand-over to others than the block names',
    'wrong-hand-over',
    'names another set',
    { ...CHANGED, handOvers: [{ ...handOver, validators: validatorsOf(FOUNDERS) }] },
  ],
  [
    'with a hand-over that the successors signed themselves',
    'wrong-hand-over',
    'the signature of voter 0',
    {
      ...CHANGED,
      handOvers: [{ ...stranger, certificate: certificateOf(stranger.header, SUCCESSORS, 'commit') }],
    },
  ],
  [
    'with a hand-over of too little stake',
    'wrong-hand-over',
    'stake 2 of 4 signed',
    {
      ...CHANGED,
      handOvers: [{ ...stranger, certificate: certificateOf(stranger.header, FOUNDERS, 'commit', [0, 1]) }],
    },
  ],
  [
    'of a block before the last hand-over',
    'epoch-out-of-reach',
    'of epoch 0',
    { ...PLAIN, handOvers: [handOver] },
  ],
  [
    'with a prepare certificate',
    'not-a-finality-certificate',
    'prepare',
    { ...PLAIN, certificate: certificateOf(PLAIN.header, FOUNDERS, 'prepare') },
  ],
  [
    'with a commit certificate',
    'not-a-finality-certificate',
    'commit',
    { ...PLAIN, certificate: certificateOf(PLAIN.header, FOUNDERS, 'commit') },
  ],
  [
    'with the certificate of another block',
    'certificate-of-another-block',
    'at height 2',
    { ...PLAIN, certificate: certificateOf(headerAt(2), FOUNDERS) },
  ],
  [
    'with the certificate of another epoch',
    'certificate-of-another-block',
    'at height 3',
    { ...PLAIN, certificate: { ...PLAIN.certificate, epoch: asEpoch(1) } },
  ],
  ['with too little stake', 'too-little-stake', 'stake 2 of 4 signed', signaturesOf([0, 3])],
  ['with no signature', 'too-little-stake', 'stake 0 of 4', signaturesOf([])],
  ['with a signer twice', 'voters-not-ascending', 'voter 1 stands after voter 1', signaturesOf([0, 1, 1, 2])],
  [
    'with signers out of order',
    'voters-not-ascending',
    'voter 0 stands after voter 1',
    signaturesOf([1, 0, 2]),
  ],
  ['with the signature of a non-member', 'wrong-signature', 'voter 0', signaturesOf([0, 1, 2], SUCCESSORS)],
  [
    'with a voter that there is not',
    'unknown-voter',
    'voter 4 is none of the 4',
    {
      ...PLAIN,
      certificate: {
        ...PLAIN.certificate,
        signatures: PLAIN.certificate.signatures.map((entry) =>
          entry.voter === 2 ? { ...entry, voter: asValidatorIndex(4) } : entry,
        ),
      },
    },
  ],
  [
    'with a set that has no stake',
    'no-validator-set',
    'without stake',
    PLAIN,
    { ...TRUST, validators: validatorsOf(FOUNDERS, 0n) },
  ],
  [
    'with a state in a pre-commit certificate',
    'certificate-form',
    'names a state',
    { ...PLAIN, certificate: { ...PLAIN.certificate, stateRoot: PLAIN.header.parentStateRoot } },
  ],
  [
    'with a record that is none',
    'record-malformed',
    'cannot be read',
    { ...PLAIN, record: new Uint8Array(3) },
  ],
  ['with the record of another place', 'wrong-path', 'block 3 names', { ...PLAIN, record: other.record }],
  ['with the path of another place', 'wrong-path', 'block 3 names', { ...PLAIN, path: other.path }],
  ['with another place', 'wrong-path', 'block 3 names', { ...PLAIN, position: 3 }],
  ['with a place outside', 'position-outside', 'place 5 in a list of 5', { ...PLAIN, position: 5 }],
  ['with a list that is too long', 'position-outside', 'in a list of', { ...PLAIN, listSize: 2 ** 32 + 1 }],
  [
    'with a path too short',
    'path-length',
    'has 2 hashes, place 2 of 5 has 3',
    { ...PLAIN, path: PLAIN.path.slice(1) },
  ],
  ['with another length', 'wrong-path', 'block 3 names', { ...PLAIN, listSize: 6 }],
  [
    'with another branch',
    'wrong-path',
    'block 3 names',
    {
      ...PLAIN,
      stateBranch: { ...PLAIN.stateBranch, parametersToTrust: altered(PLAIN.stateBranch.validators) },
    },
  ],
  [
    'under a state that is not its own',
    'wrong-path',
    'names',
    resigned({ parentStateRoot: altered(PLAIN.header.parentStateRoot) }),
  ],
]

describe('a forged receipt', () => {
  it.each(FORGED)('%s is refused: %s', (_, code, detail, receipt, trust = TRUST) => {
    const refused = check(receipt, trust)
    expect(refused).toMatchObject({ ok: false, code })
    expect(refused.ok ? '' : refused.detail).toMatch(detail)
  })

  it('is there for every check', () => {
    const codes: readonly ReceiptRefusal[] = [
      'certificate-form',
      'no-validator-set',
      'unknown-voter',
      'voters-not-ascending',
      'wrong-signature',
      'too-little-stake',
      'wrong-network',
      'start-not-trusted',
      'wrong-start-block',
      'wrong-start-epoch',
      'wrong-start-set',
      'wrong-hand-over',
      'epoch-out-of-reach',
      'not-a-finality-certificate',
      'certificate-of-another-block',
      'record-malformed',
      'position-outside',
      'path-length',
      'wrong-path',
    ]
    expect([...new Set(FORGED.map(([, code]) => code))].sort()).toEqual([...codes].sort())
  })
})
