/** Shielded transactions in blocks: what they change, what is refused, and who gets what. Proofs are real ones. */
import { describe, expect, it } from 'vitest'
import { hashBlock } from '../../../../src/codec/block.ts'
import { ciphertextsHash, shieldedBinding } from '../../../../src/codec/shielded.ts'
import { decodeTransaction, hashTransaction } from '../../../../src/codec/transaction.ts'
import { buildBlock } from '../../../../src/ledger/build-block.ts'
import { checkBlock } from '../../../../src/ledger/check-block.ts'
import { noteRoot } from '../../../../src/ledger/shielded/note-tree.ts'
import {
  asHeight,
  asValidatorIndex,
  asView,
  type Hex32,
  type Nullifier,
} from '../../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../../src/types/shielded.ts'
import { totalSupply } from '../../../../src/types/staking.ts'
import { type OwnNote, Spender } from '../../../support/shielded/spender.ts'
import { BALANCE, idOf, keyOf, STAKE, StakingChain } from '../../../support/staking-chain.ts'

const NOTES = [Spender.genesisNote(1, 1_000n), Spender.genesisNote(2, 500n)]
const GENESIS = { notes: NOTES, blockReward: 7n, minimumFee: 1n }

function setUp() {
  const chain = new StakingChain({ epochBlocks: 0 }, undefined, undefined, { genesis: GENESIS })
  const { genesisHash } = chain.genesis.rules
  const [alice, bob] = [1, 2].map((seed) => {
    const spender = new Spender(genesisHash, seed)
    spender.begin(NOTES)
    return spender
  }) as [Spender, Spender]
  return { chain, alice, bob }
}

const { chain, alice, bob } = setUp()
const [note] = alice.notes as [OwnNote]
const payment = alice.spend({ inputs: [note], to: bob.owner, amount: 300n, fee: 5n })
const { transaction } = payment
const before = chain.parent
const changed = (change: Partial<ShieldedTransaction>) =>
  hashTransaction({ ...transaction.transaction, ...change })

describe('a shielded transaction', () => {
  it('is read back as it was written', () => {
    expect(decodeTransaction(new Uint8Array(transaction.bytes))).toEqual({ ok: true, value: transaction })
  })

  it.each<[string, () => Partial<ShieldedTransaction>]>([
    ['shielded-chain', () => ({ genesisHash: 'ab'.repeat(32) as ShieldedTransaction['genesisHash'] })],
    ['shielded-ciphertexts', () => ({ ciphertexts: [new Uint8Array(1_141), new Uint8Array(1_141)] })],
    ['shielded-binding', () => ({ expiresAtHeight: asHeight(77) })],
    ['shielded-binding', () => ({ burn: { amount: 1n, to: idOf(5) } })],
    ['shielded-amount', () => ({ burn: { amount: 0n, to: idOf(5) } })],
    [
      'shielded-malformed',
      () => ({ commitments: ['ff'.repeat(32) as Hex32, transaction.transaction.commitments[1]] }),
    ],
    ['shielded-anchor', () => ({ anchor: '00'.repeat(32) as Hex32 })],
    [
      'nullifier-repeated-in-transaction',
      () => ({ nullifiers: [transaction.transaction.nullifiers[0], transaction.transaction.nullifiers[0]] }),
    ],
    ['shielded-fee', () => ({ fee: 0n })],
    ['shielded-proof', () => ({ fee: 6n })],
    [
      'shielded-proof',
      () => ({ nullifiers: transaction.transaction.nullifiers.toReversed() as [Nullifier, Nullifier] }),
    ],
    [
      'shielded-proof',
      () => ({ commitments: transaction.transaction.commitments.toReversed() as [Hex32, Hex32] }),
    ],
    [
      'shielded-proof',
      () => ({
        proof: transaction.transaction.proof.with(50_000, (transaction.transaction.proof[50_000] ?? 0) ^ 1),
      }),
    ],
    ['shielded-proof', () => ({ proof: new Uint8Array(0) })],
    ['shielded-pool', () => ({ fee: 2_000n })],
  ])('is refused with its own code: %s', (code, change) => {
    expect(chain.refusalOf(changed(change()))).toBe(code)
  })

  it('is refused when what it binds was bound anew for another proof', () => {
    const ciphertexts = [new Uint8Array(1_141), new Uint8Array(1_141)] as const
    const other = { ...transaction.transaction, ciphertexts, ciphertextsHash: ciphertextsHash(ciphertexts) }
    expect(chain.refusalOf(hashTransaction({ ...other, binding: shieldedBinding(other) }))).toBe(
      'shielded-proof',
    )
  })

  it('is refused above its last height', () => {
    const late = alice.spend({ inputs: [note], amount: 1n, expiresAtHeight: 0, openly: true })
    expect(chain.refusalOf(late.transaction)).toBe('shielded-expired')
  })

  it('pays its fee and the reward to the proposer, and is told of to wallets', () => {
    const { block, changes } = chain.next([transaction], { proposer: asValidatorIndex(2) })
    expect(chain.account(2).balance).toBe(BALANCE + 5n + 7n)
    const { shielded } = changes.accumulators
    expect(shielded).toMatchObject({ pool: 1_495n, issued: 7n })
    expect(changes.nullifiers).toEqual(transaction.transaction.nullifiers)
    expect(changes.shieldedEntries).toEqual([
      {
        height: 1,
        hash: transaction.hash,
        nullifiers: transaction.transaction.nullifiers,
        commitments: transaction.transaction.commitments,
        ciphertexts: transaction.transaction.ciphertexts,
      },
    ])
    for (const spender of [alice, bob]) spender.read(transaction.transaction)
    expect(block.header.noteCommitmentRoot).toBe(Buffer.from(alice.tree.root).toString('hex'))
    expect(shielded.anchors).toEqual([
      noteRoot(chain.genesis.changes.accumulators.shielded.notes),
      block.header.noteCommitmentRoot,
    ])
    expect(alice.notes.map(({ value }) => value)).toEqual([695n])
  })

  it('is not legal twice, after it, beside it, or on a block above it', () => {
    expect(chain.refusalOf(transaction)).toBe('nullifier-spent')
    const again = alice.spend({ inputs: [note], amount: 1n, openly: true })
    expect(chain.refusalOf(again.transaction)).toBe('nullifier-spent')
    const { rules } = chain.genesis
    const second = alice.spend({ inputs: [note], amount: 2n, openly: true }).transaction
    const { skipped, executed } = buildBlock(chain.fields(), [transaction, second], before, rules)
    expect(skipped.map(({ code }) => code)).toEqual(['nullifier-spent'])
    expect(executed.block.transactions).toHaveLength(1)
  })

  it('has its proof in the header', () => {
    const { executed } = buildBlock(chain.fields(), [transaction], before, chain.genesis.rules)
    const { header, transactions } = executed.block
    const wrong = hashBlock({ header: { ...header, proofCommitment: '11'.repeat(48) }, transactions })
    expect(checkBlock(wrong, before, chain.genesis.rules)).toMatchObject({
      ok: false,
      code: 'proof-commitment',
    })
  })

  it('burns its fee where nobody proposes, and no reward comes', () => {
    const { executed } = buildBlock(
      { ...chain.fields(), view: asView(0) },
      [transaction],
      before,
      chain.genesis.rules,
    )
    expect(executed.changes.staking.burnt).toBe(5n)
    expect(executed.changes.accumulators.shielded).toMatchObject({ pool: 1_495n, issued: 0n })
  })
})

describe('an account', () => {
  it('pays into the notes, once, with its signature', () => {
    const sequence = chain.account(4).sequence + 1
    const mint = { amount: 200n, key: keyOf(4), sequence }
    const { transaction: minted } = bob.spend({ mint, amount: 190n, fee: 10n })
    const forged = hashTransaction({
      ...minted.transaction,
      mint: {
        ...(minted.transaction.mint as NonNullable<ShieldedTransaction['mint']>),
        signature: new Uint8Array(3_309),
      },
    })
    expect(chain.refusalOf(forged)).toBe('shielded-signature')
    const unknown = bob.spend({ mint: { ...mint, key: keyOf(9) }, openly: true }).transaction
    expect(chain.refusalOf(unknown)).toBe('staking-unknown-account')
    const late = bob.spend({ mint: { ...mint, sequence: sequence + 1 }, openly: true }).transaction
    expect(chain.refusalOf(late)).toBe('staking-sequence-ahead')
    const rich = bob.spend({ mint: { ...mint, amount: BALANCE + 1n }, openly: true }).transaction
    expect(chain.refusalOf(rich)).toBe('staking-balance')
    chain.next([minted])
    expect(chain.account(4)).toMatchObject({ balance: BALANCE - 200n, sequence })
    for (const spender of [alice, bob]) spender.read(minted.transaction)
    expect(chain.refusalOf(minted)).toBe('nullifier-spent')
  })

  it('is paid out of the notes', () => {
    const of = bob.notes.find(({ value }) => value === 190n) as OwnNote
    const small = bob.spend({ inputs: [of], burn: { amount: 99n, to: idOf(9) }, openly: true }).transaction
    expect(chain.refusalOf(small)).toBe('staking-new-account')
    const { transaction: burnt } = bob.spend({ inputs: [of], burn: { amount: 150n, to: idOf(9) }, fee: 1n })
    chain.next([burnt])
    expect(chain.account(9).balance).toBe(150n)
    const { pool, issued } = chain.parent.state.accumulators.shielded
    expect(totalSupply(chain.staking) + pool).toBe(8n * BALANCE + 4n * STAKE + 1_500n + issued)
  })
})
