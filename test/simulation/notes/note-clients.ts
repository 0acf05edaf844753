/**
 * Clients with notes: they read the final chain, pay each other with change, mint, burn, spend a note twice through two
 * nodes, and send what no node may take. Draws its chances elsewhere than the cluster.
 */
import { hashTransaction } from '../../../src/codec/transaction.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { type OwnNote, Spender, type Spending } from '../../support/shielded/spender.ts'
import type { Cluster } from '../cluster.ts'
import { Random } from '../random.ts'
import type { SimulatedNode } from '../simulated-node.ts'
import { NOTES, OWNERS, PAYERS } from './note-genesis.ts'

/** How much of it there is. */
export interface NoteTraffic {
  readonly everyMs: number
  /** Things that they do, before the healing and until one of them is final. */
  readonly countMax: number
  /** Of genesis: with one every block changes an account. */
  readonly blockReward: bigint
  /** Whether no transaction of theirs expires. */
  readonly isPatient?: boolean
}

type Shielded = HashedTransaction<ShieldedTransaction>

const ACTIONS = ['pay', 'pay', 'pay', 'join', 'mint', 'mint', 'burn', 'double', 'double', 'forge'] as const
export type NoteAction = (typeof ACTIONS)[number]

/** A note is left alone for so many actions after it was spent: its transaction may be lost with a process. */
const PATIENCE = 8
/** One in so many transactions expires a few heights from now. */
const EXPIRING = 4
/** What is worth less is left alone: it has to pay a fee. */
const VALUE_MIN = 20n
/** The owner of notes that are in no chain. */
const STRANGER = 77

export class NoteClients {
  /** What was done, and what of it was taken by a node. */
  readonly figures = { asked: 0, taken: 0, refused: 0 }
  readonly #cluster: Cluster
  readonly #traffic: NoteTraffic
  readonly #random: Random
  readonly #owners: readonly Spender[]
  /** Notes of which a transaction is under way: the action that spent it. */
  readonly #spending = new Map<OwnNote, number>()
  readonly #spent: { readonly owner: Spender; readonly note: OwnNote }[] = []
  #read = 1
  #actions = 0

  constructor(cluster: Cluster, traffic: NoteTraffic, seed: number) {
    this.#cluster = cluster
    this.#traffic = traffic
    this.#random = new Random(seed ^ 0x9e07)
    this.#owners = OWNERS.map((owner) => {
      const spender = new Spender(cluster.genesis.rules.genesisHash, owner)
      spender.begin(NOTES)
      return spender
    })
    this.#next()
  }

  /** Whether something of what they did is final. */
  get isServed(): boolean {
    return this.#cluster.noteChecker.finalCount > 0
  }

  /** Does one thing now. */
  act(action: NoteAction, nodes: readonly SimulatedNode[] = this.#cluster.nodes): void {
    this.#readChain()
    for (const node of this.#cluster.honest) this.#lookIntoPool(node)
    this.#actions++
    const owner = this.#oneOf(this.#owners)
    const free = owner.notes.filter((note) => this.#isFree(note))
    const [note, second] = free
    if (action === 'mint') this.#mint(owner, nodes)
    else if (action === 'forge') this.#forge(owner, nodes)
    else if (note === undefined) return
    else if (action === 'burn') {
      this.#offer(this.#spend(owner, [note], { burn: this.#burn(note) }), this.#oneOf(nodes))
    } else if (action === 'double') this.#double(owner, note, nodes)
    else {
      const inputs = action === 'join' && second !== undefined ? [note, second] : [note]
      this.#offer(this.#spend(owner, inputs), this.#oneOf(nodes))
    }
  }

  #next(): void {
    const { everyMs } = this.#traffic
    this.#cluster.at(this.#cluster.nowMs + everyMs * (0.5 + this.#random.next()), () => {
      const isOver = this.#cluster.isHealed || this.#actions >= this.#traffic.countMax
      if (isOver && this.isServed) return
      this.act(this.#oneOf(ACTIONS))
      this.#next()
    })
  }

  #oneOf<T>(of: readonly T[]): T {
    return of[this.#random.below(of.length)] as T
  }

  /** Of whoever has the longest. */
  #readChain(): void {
    const chains = this.#cluster.nodes
      .filter(({ isHonest }) => isHonest)
      .map(({ finalBlocks }) => finalBlocks)
    const longest = chains.reduce((a, b) => (b.length > a.length ? b : a))
    for (const { transactions } of longest.slice(this.#read)) {
      for (const { transaction } of transactions) {
        if (transaction.kind === 'shielded') for (const owner of this.#owners) owner.read(transaction)
      }
    }
    this.#read = longest.length
  }

  /** N5: two that spend one note never both wait. */
  #lookIntoPool({ name, process }: SimulatedNode): void {
    const all = {
      bytesMax: Number.POSITIVE_INFINITY,
      countMax: Number.POSITIVE_INFINITY,
      exclude: () => false,
    }
    const waiting = process?.pool.select(all) ?? []
    const spent = waiting.flatMap(({ transaction }) =>
      transaction.kind === 'shielded' ? transaction.nullifiers : [],
    )
    if (new Set(spent).size !== spent.length) {
      this.#cluster.checker.violated(`N5: two that spend one note wait at ${name}`)
    }
  }

  #isFree(note: OwnNote): boolean {
    if (note.value < VALUE_MIN) return false
    const since = this.#spending.get(note)
    return since === undefined || this.#actions - since > PATIENCE
  }

  /** A legal transaction, as far as its owner knows: half of a note for somebody, the rest back. */
  #spend(owner: Spender, inputs: readonly OwnNote[], more: Spending = {}): Shielded {
    for (const note of inputs) {
      this.#spending.set(note, this.#actions)
      this.#spent.push({ owner, note })
    }
    const receiver = this.#oneOf(this.#owners)
    const fee = BigInt(1 + this.#random.below(3))
    const total = inputs.reduce((sum, { value }) => sum + value, 0n) + (more.mint?.amount ?? 0n)
    const left = total - fee - (more.burn?.amount ?? 0n)
    const isExpiring = this.#traffic.isPatient !== true && this.#random.below(EXPIRING) === 0
    const expiresAtHeight = isExpiring ? this.#read + this.#random.below(4) : 1_000_000
    const amount = (left * BigInt(this.#random.below(100))) / 100n
    const spending = { to: receiver.owner, amount, fee, expiresAtHeight, inputs, ...more }
    const { transaction, made } = owner.spend({ ...spending, openly: true })
    const [first] = made
    if (first !== undefined) receiver.expect(first.value, first.randomness)
    return this.#cluster.openProofs.numbered(transaction)
  }

  /** A transaction that nobody is to take: its owner does not wait for it. */
  #unlawful(owner: Spender, note: OwnNote, more: Spending = {}): Shielded {
    const { transaction } = owner.spend({ inputs: [note], ...more, openly: true })
    return this.#cluster.openProofs.numbered(transaction)
  }

  #burn({ value }: OwnNote): NonNullable<Spending['burn']> {
    return { amount: 1n + (value * BigInt(this.#random.below(50))) / 100n, to: this.#oneOf(PAYERS).id }
  }

  #mint(owner: Spender, nodes: readonly SimulatedNode[]): void {
    const { id, key } = this.#oneOf(PAYERS)
    const node = this.#oneOf(nodes)
    const account = node.process?.chain.state.staking.accounts.get(id)
    if (account === undefined || account.balance < 1_000n) return
    const amount = BigInt(200 + this.#random.below(800))
    this.#offer(this.#spend(owner, [], { mint: { amount, key, sequence: account.sequence + 1 } }), node)
  }

  /** One note, two transactions, two nodes: at the most one of them is ever final. */
  #double(owner: Spender, note: OwnNote, nodes: readonly SimulatedNode[]): void {
    const pair = [this.#spend(owner, [note]), this.#spend(owner, [note], { burn: this.#burn(note) })] as const
    const one = this.#oneOf(nodes)
    const others = nodes.filter((node) => node !== one)
    this.#offer(pair[0], one)
    if (others.length > 0) this.#offer(pair[1], this.#oneOf(others))
    this.#tempt(pair)
  }

  /** What no honest node may take, and what no honest one may vote for. */
  #forge(owner: Spender, nodes: readonly SimulatedNode[]): void {
    const again = this.#spent.findLast(({ owner: of, note }) => !of.notes.includes(note))
    if (again !== undefined) this.#tempt([this.#unlawful(again.owner, again.note)])
    const note = owner.notes.find(({ value }) => value >= VALUE_MIN)
    if (note === undefined) return
    const { id: to } = this.#oneOf(PAYERS)
    const { transaction } = this.#unlawful(owner, note, { burn: { amount: 1n, to } })
    const forgeries = {
      'with a wrong proof': hashTransaction({ ...transaction, fee: 2n }),
      'that burns what it does not have': hashTransaction({ ...transaction, burn: { amount: 3_000n, to } }),
      'that has expired': this.#unlawful(owner, note, { expiresAtHeight: 0 }),
      'whose notes are in no chain': this.#strange(),
      'without a fee': this.#unlawful(owner, note, { fee: 0n }),
    }
    for (const [what, forgery] of Object.entries(forgeries)) {
      this.#offer(forgery, this.#oneOf(nodes), `one ${what}`)
      this.#tempt([forgery])
    }
  }

  /** Right by a tree that nobody else has. */
  #strange(): Shielded {
    const stranger = new Spender(this.#cluster.genesis.rules.genesisHash, STRANGER)
    stranger.begin([Spender.genesisNote(STRANGER, 1_000_000n)])
    const [note] = stranger.notes as [OwnNote]
    return this.#unlawful(stranger, note, { amount: BigInt(this.#actions) })
  }

  #tempt(group: readonly Shielded[]): void {
    for (const { adversary } of this.#cluster.nodes) adversary?.forger.tempted(group)
  }

  /** @param wrong what is wrong with it, when something is */
  #offer(transaction: Shielded, node: SimulatedNode, wrong: string | null = null): void {
    this.figures.asked++
    const { incarnation } = node
    node.submitShielded(transaction, (isTaken) => {
      this.figures[isTaken ? 'taken' : 'refused']++
      if (!isTaken) return
      if (wrong !== null && node.isHonest) this.#cluster.checker.violated(`N5: ${node.name} takes ${wrong}`)
      this.#cluster.taken.push({ transaction, node, incarnation })
    })
  }
}
