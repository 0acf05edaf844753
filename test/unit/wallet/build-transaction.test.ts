/** Transactions from outside: whatever they pay they look alike, and what a mint's account signs is what the ledger checks. */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/codec/hex.ts'
import { ciphertextsHash, mintSigningPayload, shieldedBinding } from '../../../src/codec/shielded.ts'
import { decodeTransaction, hashTransaction } from '../../../src/codec/transaction.ts'
import { selectMlKem768 } from '../../../src/crypto/select.ts'
import { verifyJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import { noteCommitment } from '../../../src/shielded/notes/keys.ts'
import { emptySubtree, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import { type AccountId, asHeight } from '../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import { walletKeys } from '../../../src/wallet/keys.ts'
import { openNote } from '../../../src/wallet/notes/note-cipher.ts'
import { buildTransaction, type TransactionContent } from '../../../src/wallet/send/build-transaction.ts'
import { proveHere } from '../../../src/wallet/send/prover.ts'
import { ThreadProver } from '../../../src/wallet/send/thread-prover.ts'
import { MemoryNodeStore } from '../../../src/wallet/tree/node-store.ts'
import { WalletNoteTree } from '../../../src/wallet/tree/note-tree.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'
import { GENESIS_HASH, publicInputsOfTransaction } from '../../support/wallet/fake-ledger.ts'
import { genesisNote, proveNothing } from '../../support/wallet/wallets.ts'

const alice = walletKeys(seededBytes(1, 32))
const bob = walletKeys(seededBytes(2, 32))
const to = ({ owner, kem }: typeof alice) => ({ owner, kemPublicKey: kem.publicKey })
const AMOUNT = 0x1122_3344_5566_7788n
const note = { ...genesisNote(1, 5n), value: 2n * AMOUNT }
const tree = new WalletNoteTree(new MemoryNodeStore(), 0)
tree.append(noteCommitment(note))
const input = { value: note.value, randomness: note.randomness, position: 0, siblings: tree.path(0) }

const payment: TransactionContent = {
  genesisHash: GENESIS_HASH,
  anchor: tree.root(),
  inputs: [input],
  outputs: [
    { to: to(bob), value: AMOUNT },
    { to: to(alice), value: AMOUNT - 1n },
  ],
  fee: 1n,
  mint: null,
  burn: null,
  expiresAtHeight: asHeight(77),
}

function tools(seed: number, prove = proveNothing) {
  const random = seededRandom(seed)
  return {
    spendingKey: alice.spendingKey,
    mlKem: selectMlKem768(),
    random: (count: number) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)),
    prove,
  }
}

const holds = (bytes: Uint8Array, part: Uint8Array) => Buffer.from(bytes).includes(Buffer.from(part))
const opened = (transaction: ShieldedTransaction, keys: typeof alice) =>
  transaction.ciphertexts.map((bytes, i) =>
    openNote(fromHex(transaction.commitments[i] as string), bytes, keys),
  )

describe('a transaction', () => {
  it('says nothing of amounts and addresses in its bytes', async () => {
    const { bytes } = hashTransaction(await buildTransaction(payment, tools(1, proveHere)))
    const value = Buffer.alloc(8)
    value.writeBigUInt64LE(AMOUNT)
    const secrets = [
      value,
      Buffer.from(value).reverse(),
      note.randomness,
      alice.spendingKey,
      alice.nullifierKey,
    ]
    const names = [alice, bob].flatMap(({ owner, kem }) => [
      owner,
      kem.publicKey,
      kem.publicKey.subarray(-32),
    ])
    for (const secret of [...secrets, ...names]) expect(holds(bytes, secret)).toBe(false)
    expect(holds(bytes, fromHex(GENESIS_HASH))).toBe(true)
  })

  it('is of one size, whatever it pays to whom', async () => {
    const merge = { ...payment, outputs: [{ to: to(alice), value: note.value - 1n }] }
    const all = { ...payment, fee: note.value, outputs: [] }
    const nothing = { ...payment, inputs: [], outputs: [], fee: 0n, anchor: emptySubtree(TREE_DEPTH) }
    const sizes = await Promise.all(
      [payment, merge, all, nothing].map(
        async (content, i) => hashTransaction(await buildTransaction(content, tools(i))).bytes.length,
      ),
    )
    expect(new Set(sizes).size).toBe(1)
  })

  it('has what is paid and what comes back in either order', async () => {
    const places = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const transaction = await buildTransaction(payment, tools(i + 10))
        const [first, second] = opened(transaction, bob)
        expect([first, second].filter((one) => one?.value === AMOUNT)).toHaveLength(1)
        expect(
          opened(transaction, alice)
            .map((one) => one?.value ?? null)
            .sort(),
        ).toEqual([AMOUNT - 1n, null])
        return first === null ? 1 : 0
      }),
    )
    expect(new Set(places)).toEqual(new Set([0, 1]))
  })

  it('binds everything that its proof does not name, and the proof vouches for that', async () => {
    const prover = new ThreadProver()
    try {
      const transaction = await buildTransaction(payment, tools(3, prover.prove))
      expect(transaction.binding).toBe(shieldedBinding(transaction))
      expect(transaction.ciphertextsHash).toBe(ciphertextsHash(transaction.ciphertexts))
      expect(decodeTransaction(hashTransaction(transaction).bytes)).toMatchObject({ ok: true })
      const statement = publicInputsOfTransaction(transaction)
      expect(verifyJoinSplit(statement, transaction.proof)).toEqual({ ok: true })
      const late = { ...transaction, expiresAtHeight: asHeight(78) }
      const other = { ...statement, binding: fromHex(shieldedBinding(late)) }
      expect(verifyJoinSplit(other, transaction.proof).ok).toBe(false)
    } finally {
      await prover.close()
    }
  })

  it('that mints has what its account signed, and its sum', async () => {
    const signed: Uint8Array[] = []
    const signature = new Uint8Array(3_309).fill(9)
    const content: TransactionContent = {
      ...payment,
      inputs: [],
      outputs: [{ to: to(alice), value: 40n }],
      fee: 2n,
      mint: {
        amount: 50n,
        publicKey: new Uint8Array(1_952).fill(1),
        sequence: 3,
        sign: async (payload) => {
          signed.push(payload)
          return signature
        },
      },
      burn: { amount: 8n, to: 'ee'.repeat(32) as AccountId },
    }
    const transaction = await buildTransaction(content, tools(4))
    expect(signed).toEqual([mintSigningPayload(transaction)])
    expect(transaction.mint).toEqual({
      amount: 50n,
      publicKey: content.mint?.publicKey,
      sequence: 3,
      signature,
    })
    expect(transaction.binding).toBe(shieldedBinding(transaction))
  })
})

describe('the proving thread', () => {
  it('refuses what is untrue, and proves the next', async () => {
    const prover = new ThreadProver()
    try {
      const untrue = { ...payment, fee: 2n }
      await expect(buildTransaction(untrue, tools(5, prover.prove))).rejects.toMatchObject({
        code: 'E_WALLET_PROOF',
        advice: { why: 'statement-untrue' },
      })
      const transaction = await buildTransaction(payment, tools(6, prover.prove))
      expect(verifyJoinSplit(publicInputsOfTransaction(transaction), transaction.proof)).toEqual({ ok: true })
    } finally {
      await prover.close()
    }
  })

  it('that is ended leaves nobody waiting', async () => {
    const prover = new ThreadProver()
    const proof = buildTransaction(payment, tools(8, prover.prove))
    const failed = expect(proof).rejects.toMatchObject({ code: 'E_WALLET_PROOF' })
    await new Promise(setImmediate)
    await prover.close()
    await failed
  })
})
