/** Supply: what there is in accounts and notes is what genesis gave and what the blocks brought, at every height. */
import { describe, expect, it } from 'vitest'
import { asValidatorIndex } from '../../../../src/types/primitives.ts'
import type { ShieldedGenesis, ShieldedTransaction } from '../../../../src/types/shielded.ts'
import { totalSupply } from '../../../../src/types/staking.ts'
import type { HashedTransaction } from '../../../../src/types/transaction.ts'
import { seededRandom } from '../../../support/seeded-random.ts'
import { type OwnNote, Spender, verifyOpenly } from '../../../support/shielded/spender.ts'
import { BALANCE, idOf, keyOf, STAKE, StakingChain } from '../../../support/staking-chain.ts'

const TRANSACTIONS = 1_000
const SEEDS = [1, 2, 3]
const NOTES = SEEDS.map((seed) => Spender.genesisNote(seed, 100_000n * BigInt(seed)))
const REWARD = 3n
const GENESIS_SUPPLY = 8n * BALANCE + 4n * STAKE + 600_000n

/** Notes, accounts and what is on its way, with a random hand that moves them. */
class Market {
  readonly chain = new StakingChain({ epochBlocks: 50 }, undefined, undefined, {
    genesis: { notes: NOTES, blockReward: REWARD, minimumFee: 0n },
    verify: verifyOpenly,
  })
  readonly spenders: readonly Spender[]
  readonly #random: () => number
  readonly done = { transfer: 0, mint: 0, burn: 0 }
  fees = 0n

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.spenders = SEEDS.map((of) => new Spender(this.chain.genesis.rules.genesisHash, of))
    for (const spender of this.spenders) spender.begin(NOTES)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #share(of: bigint): bigint {
    return (of * BigInt(this.#below(1_000))) / 1_000n
  }

  /** A block of one to five transactions, no two of which touch the same notes or account. */
  block(): number {
    const transactions: HashedTransaction<ShieldedTransaction>[] = []
    const taken = new Set<OwnNote>()
    const accounts = new Set<number>()
    for (let wanted = 1 + this.#below(5); wanted > 0; wanted--) {
      const spender = this.spenders[this.#below(SEEDS.length)] as Spender
      const inputs = spender.notes.filter((note) => !taken.has(note)).slice(0, this.#below(3))
      for (const note of inputs) taken.add(note)
      const made = this.#transaction(spender, inputs, accounts)
      if (made !== null) transactions.push(made)
    }
    this.chain.next(transactions, { proposer: asValidatorIndex(this.#below(4)) })
    for (const { transaction } of transactions) {
      this.fees += transaction.fee
      for (const spender of this.spenders) spender.read(transaction)
    }
    return transactions.length
  }

  #transaction(
    spender: Spender,
    inputs: readonly OwnNote[],
    accounts: Set<number>,
  ): HashedTransaction<ShieldedTransaction> | null {
    const total = inputs.reduce((sum, { value }) => sum + value, 0n)
    const fee = total === 0n ? 0n : BigInt(1 + this.#below(3))
    const account = 4 + this.#below(4)
    const kind = (['transfer', 'mint', 'burn'] as const)[this.#below(3)] ?? 'transfer'
    const receiver = this.spenders[this.#below(SEEDS.length)] as Spender
    const common = { inputs, to: receiver.owner, fee, openly: true }
    const isFree = !accounts.has(account)
    if (kind === 'mint' && isFree && this.chain.account(account).balance > 100n) {
      accounts.add(account)
      const amount = 1n + this.#share(this.chain.account(account).balance / 4n)
      const sequence = this.chain.account(account).sequence + 1
      return this.#made(
        kind,
        receiver,
        spender.spend({ ...common, amount, mint: { amount, key: keyOf(account), sequence } }),
      )
    }
    if (total <= fee + 1n) return null
    const rest = total - fee
    if (kind === 'burn' && isFree) {
      const burn = { amount: 1n + this.#share(rest - 1n), to: idOf(account) }
      return this.#made(kind, receiver, spender.spend({ ...common, amount: 0n, burn }))
    }
    return this.#made('transfer', receiver, spender.spend({ ...common, amount: this.#share(rest) }))
  }

  #made(
    kind: keyof Market['done'],
    receiver: Spender,
    { transaction, made }: ReturnType<Spender['spend']>,
  ): HashedTransaction<ShieldedTransaction> {
    this.done[kind]++
    const [first] = made
    if (first !== undefined) receiver.expect(first.value, first.randomness)
    return transaction
  }
}

function openChain(genesis?: ShieldedGenesis): StakingChain {
  const shielded = { ...(genesis === undefined ? {} : { genesis }), verify: verifyOpenly }
  return new StakingChain({ epochBlocks: 50 }, undefined, undefined, shielded)
}

describe('the supply', () => {
  // Twenty seconds of hashing on a processor that has nothing else to do.
  it(`follows its rule at every height over ${TRANSACTIONS} random transactions, mints and burns`, {
    timeout: 180_000,
  }, () => {
    const market = new Market(7)
    for (let count = 0; count < TRANSACTIONS; ) {
      count += market.block()
      const { staking, accumulators } = market.chain.parent.state
      const { pool, issued } = accumulators.shielded
      expect(issued).toBe(REWARD * BigInt(market.chain.height))
      expect(totalSupply(staking) + pool).toBe(GENESIS_SUPPLY + issued)
      const notes = market.spenders.flatMap((spender) => spender.notes)
      expect(notes.reduce((sum, { value }) => sum + value, 0n)).toBe(pool)
    }
    const { transfer, mint, burn } = market.done
    process.stdout.write(
      `supply: ${transfer} transfers, ${mint} mints, ${burn} burns in ${market.chain.height} blocks, fees ${market.fees}\n`,
    )
    expect(Math.min(transfer, mint, burn)).toBeGreaterThan(100)
    expect(market.fees).toBeGreaterThan(500n)
  })

  it('holds where payer, payee and proposer are one account, and everything is paid that there is', () => {
    const chain = openChain({ notes: NOTES.slice(0, 1), blockReward: REWARD, minimumFee: 0n })
    const spender = new Spender(chain.genesis.rules.genesisHash, 1)
    spender.begin(NOTES.slice(0, 1))
    const { balance, sequence } = chain.account(0)
    const { transaction } = spender.spend({
      inputs: spender.notes,
      mint: { amount: balance, key: keyOf(0), sequence: sequence + 1 },
      burn: { amount: 100_000n + balance - 9n, to: idOf(0) },
      amount: 0n,
      fee: 9n,
      openly: true,
    })
    chain.next([transaction], { proposer: asValidatorIndex(0) })
    expect(chain.account(0)).toMatchObject({
      balance: 100_000n + balance + REWARD,
      sequence: sequence + 1,
    })
    expect(chain.parent.state.accumulators.shielded.pool).toBe(0n)
    expect(totalSupply(chain.staking)).toBe(8n * BALANCE + 4n * STAKE + 100_000n + REWARD)
  })

  it('never passes 2^64: the reward ends before', () => {
    const rest = 2n ** 64n - 8n * BALANCE - 4n * STAKE - 2n * REWARD
    const chain = openChain({
      notes: [Spender.genesisNote(1, rest)],
      blockReward: REWARD,
      minimumFee: 0n,
    })
    for (const issued of [REWARD, REWARD, REWARD]) {
      chain.next()
      expect(chain.parent.state.accumulators.shielded.issued).toBe(issued)
    }
  })

  it('costs a fee to move where genesis says nothing of notes', () => {
    const chain = openChain()
    const spender = new Spender(chain.genesis.rules.genesisHash, 1)
    expect(chain.refusalOf(spender.spend({ fee: 0n, amount: 0n, openly: true }).transaction)).toBe(
      'shielded-fee',
    )
  })
})
