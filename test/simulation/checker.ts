/**
 * Looks at what nodes decide and say, from outside the code under test, after every event. The names are those
 * of the invariants in the specification's list. Byzantine nodes are looked at for nothing but their votes.
 */
import { createHash } from 'node:crypto'
import { certificateSigningPayload } from '../../src/codec/signing-payloads.ts'
import type { ConsensusEffect } from '../../src/consensus/effect.ts'
import { Electorate } from '../../src/consensus/validator-set.ts'
import { frontierRoot } from '../../src/ledger/frontier.ts'
import type { GenesisState } from '../../src/ledger/genesis-state.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { FinalizedBlock, StateChanges } from '../../src/types/ledger-state.ts'
import { type ConsensusMessage, type Vote, voteOfProposal } from '../../src/types/messages.ts'
import type { ValidatorIndex } from '../../src/types/primitives.ts'
import type { SafetyRecord } from '../../src/types/safety.ts'
import { type StakingState, totalSupply } from '../../src/types/staking.ts'
import { toySignatureCheck } from './toy-signatures.ts'
import { START_UNIX_MS } from './world.ts'

/** Who said it: validators are told apart by index, runs of one by `name`. */
export interface Speaker {
  readonly name: string
  readonly index: number | null
  readonly isHonest: boolean
  /** Slots of the records that are durable, as {@link slotsOf} names them. */
  readonly durableSlots: ReadonlySet<string>
  /** Height of the last final block in its database. */
  readonly durableHeight: number
}

/** A block may be this far ahead of the slowest honest clock: skews and the rule's own tolerance. */
const TIME_AHEAD_MAX_MS = 15_000

export class Checker {
  readonly violations: string[] = []
  /** Told of every effect, for a trace. */
  onEffect: ((line: string) => void) | null = null
  /** By epoch. A set is what the state after the last block of the epoch before says. */
  readonly #electorates = new Map<number, Electorate>()
  readonly #honestIds: ReadonlySet<string>
  readonly #genesis: GenesisState
  /** Slot of an honest validator → what it signed. */
  readonly #said = new Map<string, string>()
  /** kind/view → block → voters. */
  readonly #votes = new Map<string, Map<string, Set<number>>>()
  readonly #finalAt = new Map<number, string>()
  readonly #certified = new Set<string>()
  readonly #stateAt = new Map<number, string>()
  /** Nullifier → height of the one block that spends it. */
  readonly #spentAt = new Map<string, number>()
  readonly #givenUp = new Map<string, number>()
  readonly #highest = new Map<string, number>()
  readonly #epochOf = new Map<string, number>()
  readonly #trace = createHash('sha256')
  effects = 0
  #nowUnixMs = START_UNIX_MS

  constructor(electorate: Electorate, genesis: GenesisState, honestIds: ReadonlySet<string>) {
    this.#electorates.set(0, electorate)
    this.#honestIds = honestIds
    this.#genesis = genesis
  }

  /** Hash over all effects of all nodes so far. */
  get trace(): string {
    return this.#trace.copy().digest('hex')
  }

  violated(what: string): void {
    if (this.violations.length < 20) this.violations.push(what)
  }

  effect(node: Speaker, effect: ConsensusEffect, nowMs: number): void {
    this.#nowUnixMs = START_UNIX_MS + nowMs
    this.effects++
    const line = `${nowMs} ${node.name} ${describe(effect)}\n`
    this.#trace.update(line)
    this.onEffect?.(line)
  }

  /**
   * I1, I2, I5: one block per height over all honest nodes, each chain grows by extension, and by a quorum.
   * @param certificate what makes the last of the blocks final; null when they were found on a disk
   */
  decided(
    node: Speaker,
    blocks: readonly HashedBlock[],
    parentHash: string,
    certificate: QuorumCertificate | null,
    fillers: readonly HashedBlock[] = [],
  ): void {
    if (!node.isHonest) return
    let expected = parentHash
    for (const { header, hash } of blocks) {
      if (header.parentHash !== expected) this.violated(`I2: ${node.name} at height ${header.height}`)
      expected = hash
      if (header.timestamp > this.#nowUnixMs + TIME_AHEAD_MAX_MS) {
        this.violated(`R3: the block at height ${header.height} is of a time to come`)
      }
      const first = this.#finalAt.get(header.height) ?? hash
      if (first !== hash) this.violated(`I1: ${node.name} at height ${header.height}`)
      this.#finalAt.set(header.height, first)
    }
    for (const { header, hash } of fillers) {
      if (header.parentHash !== expected || header.epoch !== certificate?.epoch) {
        this.violated(`I5: ${node.name} has a filler at height ${header.height} that leads nowhere`)
      }
      expected = hash
    }
    if (certificate !== null) this.#finalBy(node, expected, certificate)
  }

  /** I9, I10: what the final blocks led to is the same everywhere, and nothing is spent twice. */
  executed(node: Speaker, blocks: readonly FinalizedBlock[]): void {
    if (!node.isHonest) return
    for (const { block, stateRoot, changes } of blocks) {
      const { height } = block.header
      const first = this.#stateAt.get(height) ?? stateRoot
      if (first !== stateRoot) this.violated(`I9: ${node.name} has another state at height ${height}`)
      this.#stateAt.set(height, first)
      this.#staked(changes.staking, height)
      this.#conserved(changes, height)
      if (frontierRoot(changes.accumulators.nullifiers) !== block.header.nullifierRoot) {
        this.violated(`I9: the header at height ${height} names other nullifiers than it spends`)
      }
      for (const nullifier of changes.nullifiers) {
        const spentAt = this.#spentAt.get(nullifier) ?? height
        if (spentAt !== height) this.violated(`I10: ${nullifier} at heights ${spentAt} and ${height}`)
        this.#spentAt.set(nullifier, spentAt)
      }
      if (new Set(changes.nullifiers).size !== changes.nullifiers.length) {
        this.violated(`I10: a nullifier twice at height ${height}`)
      }
    }
  }

  /** I12, I13: no honest validator is ever punished, and nobody twice. */
  #staked(staking: StakingState, height: number): void {
    const { epoch, validators, slashes } = staking
    if (!this.#electorates.has(epoch)) this.#electorates.set(epoch, new Electorate({ epoch, validators }))
    for (const { account } of slashes) {
      if (this.#honestIds.has(account)) this.violated(`I12: ${account} is punished by height ${height}`)
    }
    if (new Set(slashes.map(({ account }) => account)).size !== slashes.length) {
      this.violated(`I13: somebody is punished twice by height ${height}`)
    }
  }

  /** I10, N4: all there is, in accounts and in notes, is what genesis gave and what the blocks brought. */
  #conserved({ staking, accumulators }: StateChanges, height: number): void {
    const { pool, issued } = accumulators.shielded
    if (totalSupply(staking) + pool !== this.#genesis.rules.genesisSupply + issued) {
      this.violated(`I10: money is made or lost at height ${height}`)
    }
  }

  /** I6, I7: what a record says never goes back, and no vote is made in a view that was given up. */
  recorded(node: Speaker, record: SafetyRecord): void {
    if (!node.isHonest) return
    if (record.epoch !== (this.#epochOf.get(node.name) ?? 0)) this.restarted(node, { epoch: record.epoch })
    for (const vote of [record.prepare, record.preCommit]) {
      if (vote === null) continue
      const givenUp = this.#givenUp.get(node.name) ?? 0
      if (vote.view <= givenUp) {
        this.violated(`I7: ${node.name} ${vote.kind} in view ${vote.view}, given up ${givenUp}`)
      }
    }
    const { proposal, prepare, preCommit, timeout, highQc, highTc } = record
    for (const [what, view] of Object.entries({
      proposal: proposal?.view,
      prepare: prepare?.view,
      preCommit: preCommit?.view,
      timeout: timeout?.view,
      highQc: highQc?.view,
      highTc: highTc?.view,
    })) {
      if (view === undefined) continue
      const slot = `${node.name}/${what}`
      if (view < (this.#highest.get(slot) ?? 0)) this.violated(`I6: ${slot} went back to ${view}`)
      this.#highest.set(slot, view)
    }
    if (preCommit !== null && (this.#highest.get(`${node.name}/highQc`) ?? 0) < preCommit.view) {
      this.violated(`R5: ${node.name} pre-commits view ${preCommit.view} above its durable lock`)
    }
    if (timeout !== null) this.#givenUp.set(node.name, timeout.view)
  }

  /** A crash takes back what was not durable: what is durable now is where I6 and I7 go on from. */
  restarted(node: Speaker, fold: Partial<SafetyRecord>): void {
    this.#epochOf.set(node.name, fold.epoch ?? 0)
    const { proposal, prepare, preCommit, timeout, highQc, highTc } = fold
    this.#givenUp.set(node.name, timeout?.view ?? 0)
    for (const [what, view] of Object.entries({
      proposal: proposal?.view,
      prepare: prepare?.view,
      preCommit: preCommit?.view,
      timeout: timeout?.view,
      highQc: highQc?.view,
      highTc: highTc?.view,
    })) {
      this.#highest.set(`${node.name}/${what}`, view ?? 0)
    }
  }

  /** I3, I4, I8: called when bytes leave a node. */
  visible(node: Speaker, message: ConsensusMessage): void {
    // A proposal is its leader's prepare vote besides, and is looked at as both.
    if (message.kind === 'proposal') this.visible(node, voteOfProposal(message))
    const said = slotOf(message)
    if (said === null || said.validator !== node.index) return
    if (message.kind === 'prepare' || message.kind === 'pre-commit') {
      this.#countVote(said.slot, message)
    }
    if (!node.isHonest) return
    if (said.isRecorded && !node.durableSlots.has(said.slot)) {
      this.violated(`I8: ${node.name} says ${said.slot} before its record is durable`)
    }
    if (message.kind === 'commit' && message.height > node.durableHeight) {
      this.violated(`I8: ${node.name} says ${said.slot} before that state is durable`)
    }
    const slot = `${node.index}/${said.slot}`
    const before = this.#said.get(slot) ?? said.content
    if (before !== said.content) this.violated(`I3: ${slot} is ${before} and ${said.content}`)
    this.#said.set(slot, said.content)
  }

  #countVote(slot: string, { epoch, blockHash, voter }: Vote): void {
    const electorate = this.#electorates.get(epoch)
    if (electorate === undefined) return
    const contents = this.#votes.get(slot) ?? new Map<string, Set<number>>()
    this.#votes.set(slot, contents)
    const voters = contents.get(blockHash) ?? new Set<number>()
    contents.set(blockHash, voters.add(voter))
    const certified = [...contents.values()].filter(
      (set) => electorate.weightOf(set as Set<ValidatorIndex>) >= electorate.quorum,
    )
    if (certified.length > 1) this.violated(`I4: two certified blocks in ${slot}`)
  }

  /** I5: a pre-commit quorum over exactly this block, every signature in it true. */
  #finalBy(node: Speaker, blockHash: string, certificate: QuorumCertificate): void {
    if (this.#certified.has(blockHash)) return
    const { kind, signatures } = certificate
    const electorate = this.#electorates.get(certificate.epoch)
    const isTrue =
      electorate !== undefined &&
      kind === 'pre-commit' &&
      certificate.blockHash === blockHash &&
      electorate.weightOf(signatures.map(({ voter }) => voter)) >= electorate.quorum &&
      signatures.every(({ voter, signature, commits }) => {
        const payload = certificateSigningPayload(this.#genesis.rules.genesisHash, certificate, commits)
        return commits === null && toySignatureCheck(electorate.set).isValid(voter, kind, payload, signature)
      })
    if (isTrue) this.#certified.add(blockHash)
    else this.violated(`I5: ${node.name} holds ${blockHash} for final without a quorum`)
  }
}

/** What a message fills: one content per slot and validator. */
export function slotOf(message: ConsensusMessage): {
  readonly validator: number
  readonly slot: string
  readonly content: string
  /** Whether S0 wants a record of it. */
  readonly isRecorded: boolean
} | null {
  switch (message.kind) {
    case 'proposal': {
      const { view, proposer } = message.block.header
      return {
        validator: proposer,
        slot: `proposal/${message.block.header.epoch}.${view}`,
        content: message.block.hash,
        isRecorded: true,
      }
    }
    case 'prepare':
    case 'pre-commit':
      return {
        validator: message.voter,
        slot: `${message.kind}/${message.epoch}.${message.view}`,
        content: message.blockHash,
        isRecorded: true,
      }
    case 'timeout':
      return {
        validator: message.voter,
        slot: `timeout/${message.epoch}.${message.view}`,
        content: `${message.highQcView}`,
        isRecorded: true,
      }
    case 'commit':
      return {
        validator: message.voter,
        slot: `commit/${message.height}`,
        content: `${message.blockHash} ${message.stateRoot}`,
        isRecorded: false,
      }
    case 'openings':
    case 'certificates':
    case 'certificate-request':
      return null
  }
}

/** The slots that a record makes durable. */
export function slotsOf(record: SafetyRecord): string[] {
  const { epoch, proposal, prepare, preCommit, timeout } = record
  return [
    ...(proposal === null ? [] : [`proposal/${epoch}.${proposal.view}`]),
    ...(prepare === null ? [] : [`prepare/${epoch}.${prepare.view}`]),
    ...(preCommit === null ? [] : [`pre-commit/${epoch}.${preCommit.view}`]),
    ...(timeout === null ? [] : [`timeout/${epoch}.${timeout.view}`]),
  ]
}

function describe(effect: ConsensusEffect): string {
  switch (effect.kind) {
    case 'sign':
      return `sign ${effect.request.kind} ${effect.request.view} ${'blockHash' in effect.request ? effect.request.blockHash : ''}`
    case 'broadcast':
    case 'send':
      return `${effect.kind} ${'to' in effect ? effect.to : ''} ${effect.message.kind}`
    case 'set-timer':
      return `${effect.timer} ${effect.view} ${effect.delayMs}`
    case 'finalize':
      return `finalize ${effect.certificate.blockHash}`
    case 'check-block':
      return `check-block ${effect.block.hash}`
    case 'fetch-block':
      return `fetch-block ${effect.blockHash}`
    default:
      return effect.kind
  }
}
