/**
 * Looks at shielded transactions in final blocks from outside: a tree of notes, the spent ones and the supply are kept
 * here from the blocks' bytes alone, and what nodes made of the blocks is compared with them.
 */
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { transactionProofBincode } from '../../../src/codec/proofs.ts'
import type { GenesisState } from '../../../src/ledger/genesis-state.ts'
import { noteRoot } from '../../../src/ledger/shielded/note-tree.ts'
import type { VerifyShielded } from '../../../src/ledger/shielded/statement.ts'
import { noteCommitment } from '../../../src/shielded/notes/keys.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { FinalizedBlock } from '../../../src/types/ledger-state.ts'
import { ANCHORS_MAX, type ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { OpenNoteTree } from '../../support/shielded/spender.ts'

/** What the state says after a height. */
interface Money {
  readonly pool: bigint
  readonly issued: bigint
  readonly root: string
}

export interface NoteCheckerOptions {
  readonly genesis: Pick<GenesisState, 'rules' | 'block'>
  /** Whether a proof is right. */
  readonly verify: VerifyShielded
  readonly violated: (what: string) => void
}

type Watched = {
  readonly name: string
  readonly isHonest: boolean
  readonly finalBlocks: readonly HashedBlock[]
}

export class NoteChecker {
  readonly #options: NoteCheckerOptions
  readonly #tree = new OpenNoteTree()
  readonly #roots: string[]
  readonly #spentAt = new Map<string, number>()
  readonly #after: Money[]
  /** Final shielded transactions by what they do, for a run's figures. */
  readonly final = { transfer: 0, mint: 0, burn: 0 }

  constructor(options: NoteCheckerOptions) {
    this.#options = options
    const notes = options.genesis.rules.shielded?.notes ?? []
    for (const note of notes) this.#tree.append(noteCommitment(note))
    const root = toHex(this.#tree.root)
    this.#roots = [root]
    this.#after = [{ pool: notes.reduce((sum, { value }) => sum + value, 0n), issued: 0n, root }]
    if (options.genesis.block.header.noteCommitmentRoot !== root)
      options.violated('N3: genesis has other notes')
  }

  /** Final shielded transactions. */
  get finalCount(): number {
    const { transfer, mint, burn } = this.final
    return transfer + mint + burn
  }

  /** N1 to N4: what is final on an honest node, and what it made of it. */
  executed(node: Watched, blocks: readonly FinalizedBlock[]): void {
    if (!node.isHonest) return
    // A batch that was found on a disk is told of by nobody.
    for (const block of node.finalBlocks.slice(this.#after.length)) this.#read(block)
    for (const { block, changes } of blocks) {
      const { height } = block.header
      const { pool, issued, notes } = changes.accumulators.shielded
      const expected = this.#after[height]
      if (pool !== expected?.pool) this.#violated(height, `N4: ${node.name} has ${pool} in notes`)
      if (issued !== expected?.issued) this.#violated(height, `N4: ${node.name} has issued ${issued}`)
      if (noteRoot(notes) !== expected?.root) this.#violated(height, `N3: ${node.name} has other notes`)
    }
  }

  #violated(height: number, what: string): void {
    this.#options.violated(`${what} at height ${height}`)
  }

  /** The next final block, by its bytes. */
  #read({ header, transactions }: HashedBlock): void {
    const { height } = header
    const shielded = transactions.filter(isShielded)
    for (const { transaction } of shielded) this.#judge(transaction, height)
    const before = this.#after.at(-1)
    let pool = before?.pool ?? 0n
    for (const { fee, mint, burn, commitments } of shielded.map(({ transaction }) => transaction)) {
      pool += (mint?.amount ?? 0n) - (burn?.amount ?? 0n) - fee
      for (const commitment of commitments) this.#tree.append(fromHex(commitment))
      this.final[mint === null ? (burn === null ? 'transfer' : 'burn') : 'mint']++
    }
    if (pool < 0n) this.#violated(height, `N4: the notes are worth ${pool}`)
    const root = toHex(this.#tree.root)
    if (shielded.length > 0) this.#roots.push(root)
    const reward = this.#options.genesis.rules.shielded?.blockReward ?? 0n
    this.#after.push({ pool, issued: (before?.issued ?? 0n) + reward, root })
    if (header.noteCommitmentRoot !== root) this.#violated(height, 'N3: the header names other notes')
    if (header.proofCommitment !== commitmentTo(transactions)) {
      this.#violated(height, 'N2: the header commits to other proofs')
    }
  }

  /** Whether it may be final at this height, notes of its own block left aside. */
  #judge(transaction: ShieldedTransaction, height: number): void {
    const { nullifiers, anchor, expiresAtHeight, fee, genesisHash } = transaction
    const { rules } = this.#options.genesis
    for (const nullifier of nullifiers) {
      const spentAt = this.#spentAt.get(nullifier)
      if (spentAt !== undefined)
        this.#violated(height, `N1: ${nullifier}, spent at height ${spentAt}, is spent`)
      this.#spentAt.set(nullifier, height)
    }
    if (!this.#roots.slice(-ANCHORS_MAX).includes(anchor))
      this.#violated(height, `N2: ${anchor} is no anchor`)
    if (height > expiresAtHeight) this.#violated(height, `N2: one expired at ${expiresAtHeight} is final`)
    if (genesisHash !== rules.genesisHash) this.#violated(height, 'N2: one of another network is final')
    if (fee < (rules.shielded?.minimumFee ?? 0n)) this.#violated(height, `N2: the fee is ${fee}`)
    if (!this.#options.verify(transaction)) this.#violated(height, 'N2: a wrong proof is final')
  }
}

function isShielded(hashed: HashedTransaction): hashed is HashedTransaction<ShieldedTransaction> {
  return hashed.transaction.kind === 'shielded'
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** `proofCommitment` as the ledger's README has it, from a block's transactions. */
function commitmentTo(transactions: readonly HashedTransaction[]): string {
  const parts = transactions.flatMap(({ transaction, hash }) => {
    switch (transaction.kind) {
      case 'validate-certificate':
        return [Buffer.concat([Buffer.of(0), transactionProofBincode(transaction)])]
      case 'validate-proofs':
        return [Buffer.concat([Buffer.of(1), transactionProofBincode(transaction)])]
      case 'shielded':
        return [Buffer.concat([Buffer.of(2), fromHex(hash)])]
      default:
        return []
    }
  })
  const tag = Buffer.from('hypermesh/proof-commitment/v1')
  const sha = createHash('sha384').update(Buffer.of(tag.length)).update(tag).update(u32(parts.length))
  for (const part of parts) sha.update(u32(part.length)).update(part)
  return sha.digest('hex')
}
