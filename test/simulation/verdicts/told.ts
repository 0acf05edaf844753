/**
 * A told story about verdicts: validators with their boxes of ballots vote for one block after the other, and an honest
 * leader makes the next from what it heard. What is not as it should be is a violation, as in the simulator.
 */
import { BallotBox } from '../../../src/runtime/ballot-box.ts'
import type { BallotConduct } from '../../../src/runtime/own-ballots.ts'
import type { Ballots } from '../../../src/types/ballots.ts'
import { type AccountId, asEpoch, asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import type { BallotsTransaction } from '../../../src/types/transaction.ts'
import type { VerdictRecord } from '../../../src/types/verdict.ts'
import type { ValidatorTrust } from '../../../src/types/voting.ts'
import { type Asked, type VerdictBlock, VerdictChain } from './verdict-chain.ts'

export interface Step {
  readonly requests?: readonly Asked[]
  /** Validators whose votes are not heard. */
  readonly silent?: readonly number[]
  /** What a validator says in the place of what its box would. */
  readonly bend?: (voter: number, ballots: Ballots) => Ballots
  readonly rejoins?: readonly AccountId[]
}

export interface Cast {
  readonly stakes?: readonly bigint[]
  /** By validator: how it departs from the protocol. */
  readonly conducts?: Readonly<Record<number, BallotConduct>>
  readonly periodBlocks?: number
}

export class Told {
  readonly chain: VerdictChain
  readonly boxes: readonly BallotBox[]
  readonly verdicts: VerdictRecord[] = []
  readonly violations: string[] = []
  tip: VerdictBlock
  readonly #leader: BallotBox
  #asked = 0
  #view = 0

  constructor({ stakes = [1n, 1n, 1n, 1n], conducts = {}, periodBlocks = 0 }: Cast = {}) {
    this.chain = new VerdictChain(stakes, periodBlocks)
    this.tip = this.chain.genesis
    this.boxes = stakes.map((_, i) => this.chain.box(i, conducts[i]))
    const { genesisHash, parameters } = this.chain.rules
    const { blockBytesMax } = parameters
    const { judgement } = this.chain
    this.#leader = new BallotBox({ genesisHash, blockBytesMax, self: null, judgement }, asEpoch(0))
  }

  /** A request that is new. */
  ask(isValid = true): Asked {
    return { number: ++this.#asked, isValid }
  }

  /** What a validator says in its vote for the tip. */
  says(voter: number): Ballots {
    const box = this.boxes[voter]
    if (box === undefined) throw new Error(`no validator ${voter}`)
    if (this.tip.parent !== null) box.final(this.tip.parent.height)
    return box.say('prepare', this.tip)
  }

  /** All vote for the tip, and the next block is the tip. */
  step({
    requests = [],
    silent = [],
    bend = (_, ballots) => ballots,
    rejoins = [],
  }: Step = {}): VerdictBlock {
    this.#view++
    for (const voter of this.boxes.keys()) {
      if (silent.includes(voter)) continue
      this.#leader.heard({
        kind: 'prepare',
        epoch: asEpoch(0),
        view: asView(this.#view),
        height: this.tip.height,
        blockHash: this.tip.hash,
        voter: asValidatorIndex(voter),
        signature: new Uint8Array(0),
        ballots: bend(voter, this.says(voter)),
      })
    }
    const collected = this.#leader.collect(this.tip, this.chain.staking.validators)
    return this.build(collected?.transaction.transaction ?? null, { requests, rejoins })
  }

  /** The next block with these ballots; it must be legal. */
  build(ballots: BallotsTransaction | null, { requests = [], rejoins = [] }: Step = {}): VerdictBlock {
    const next = this.chain.next(this.tip, { ballots, requests, rejoins })
    if (!next.ok) throw new Error(`${next.code}: ${next.detail}`)
    this.tip = next.value
    this.verdicts.push(...this.tip.decided.map(({ record }) => record))
    return this.tip
  }

  steps(count: number, step: Step = {}): this {
    for (let i = 0; i < count; i++) this.step(step)
    return this
  }

  /** A block with these ballots on the tip is refused; nothing changes. */
  refused(id: string, ballots: Partial<BallotsTransaction>): void {
    const next = this.chain.next(this.tip, {
      ballots: { kind: 'ballots', commits: [], openings: [], ...ballots },
    })
    this.must(!next.ok, `${id} is taken into block ${this.tip.height + 1}`)
  }

  trust(voter: number): ValidatorTrust {
    return this.chain.trustOf(this.tip, voter)
  }

  must(isSo: boolean, otherwise: string): void {
    if (!isSo) this.violations.push(otherwise)
  }
}
