/** Operations as the public API shows them: from the final state, and their content from the blocks that proposed them. */
import { operationForm } from '../codec/operation-json.ts'
import type {
  OperationPorts,
  OperationResultView,
  OperationsView,
  OperationTallyView,
  OperationView,
} from '../rpc/http/operation-ports.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { unreachable } from '../types/assert.ts'
import type { DecidedOperation, OpenOperation, OperationOutcome } from '../types/operations.ts'
import { asHeight, type Height, type RequestKey } from '../types/primitives.ts'
import type { OperationTransaction } from '../types/transaction.ts'
import type { VerdictRecord } from '../types/verdict.ts'

/** As much of the chain as is looked at. */
export type OperationChainPort = Pick<ChainStore, 'tip' | 'heightOfTransaction' | 'blockAt' | 'verdict'>

/** Blocks after a decision in which openings of its batch can still come. */
const OPENINGS_AFTER = 17

export class OperationViews implements OperationPorts {
  readonly #chain: OperationChainPort

  constructor(chain: OperationChainPort) {
    this.#chain = chain
  }

  operations(): OperationsView {
    const { open, decided, standard } = this.#chain.tip.voting.operations
    return {
      open: open.map(openView),
      decided: decided.map((of) => this.#decidedView(of)),
      entries: [...standard.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    }
  }

  operation(id: string): OperationResultView | null {
    const { open, decided, losses } = this.#chain.tip.voting.operations
    const waiting = open.find((of) => of.id === id)
    const ended = decided.findLast((of) => of.id === id)
    const view =
      waiting !== undefined ? openView(waiting) : ended !== undefined ? this.#decidedView(ended) : null
    if (view === null) return null
    const record = this.#chain.verdict(id as RequestKey)?.record ?? null
    return {
      ...view,
      outcome: waiting !== undefined || ended === undefined ? null : outcomeName(ended.outcome),
      tally: record === null ? null : tallyOf(record),
      participatingNodes: record === null ? [] : this.#participants(record),
      trustAdjustments: losses
        .filter(({ height }) => height === record?.height)
        .map(({ account, ppm, lost }) => ({ account, before: ppm, after: ppm - lost })),
    }
  }

  #decidedView({ id, kind, route, proposer, outcome, height }: DecidedOperation): OperationView {
    const proposal = this.#proposal(id)
    const action = proposal?.transaction.operation
    const isProposal = action?.kind === 'propose'
    return {
      id,
      kind,
      route,
      state: outcome === 'approved' ? 'done' : outcome,
      proposer,
      proposedAt: proposal?.height ?? null,
      opensAt: isProposal && action.opensAt !== 0 ? action.opensAt : null,
      height,
      operation: isProposal ? operationForm.toJson(action.operation) : null,
    }
  }

  #proposal(id: RequestKey): { readonly height: Height; readonly transaction: OperationTransaction } | null {
    const height = this.#chain.heightOfTransaction(id)
    const block = height === null ? null : this.#chain.blockAt(height)
    const transaction = block?.transactions.find(({ requestKey }) => requestKey === id)?.transaction
    return height !== null && transaction?.kind === 'operation' ? { height, transaction } : null
  }

  /** Those whose openings about the batch stand in blocks, in the order in which they came. */
  #participants({ height, decidedAt, round }: VerdictRecord): string[] {
    const { tip } = this.#chain
    const { electors } = tip.voting
    const accounts = new Map(
      electors.flatMap(({ members }) => members.map(({ id, account }) => [id, account] as const)),
    )
    const seen = new Set<string>()
    for (let at = height + 1; at <= Math.min(decidedAt + OPENINGS_AFTER, tip.height); at++) {
      const first = this.#chain.blockAt(asHeight(at))?.transactions[0]?.transaction
      if (first?.kind !== 'ballots') continue
      for (const opening of first.openings) {
        if (opening.height !== height || opening.round !== round) continue
        const id = tip.staking.validators[opening.voter]?.id
        const account = id === undefined ? undefined : accounts.get(id)
        if (account !== undefined) seen.add(account)
      }
    }
    return [...seen]
  }
}

function openView({ id, proposer, operation, proposedAt, opensAt, stage }: OpenOperation): OperationView {
  return {
    id,
    kind: operation.kind,
    route: 'full-bft',
    state: stage,
    proposer,
    proposedAt,
    opensAt,
    height: null,
    operation: operationForm.toJson(operation),
  }
}

function outcomeName(outcome: OperationOutcome): 'Approved' | 'Rejected' | 'Timeout' {
  switch (outcome) {
    case 'approved':
      return 'Approved'
    // Approved, and by a rule not possible any more.
    case 'void':
    case 'rejected':
      return 'Rejected'
    case 'timeout':
      return 'Timeout'
    default:
      return unreachable(outcome)
  }
}

function tallyOf(record: VerdictRecord): OperationTallyView {
  const { status, round, decidedAt, agreeing, dissenting, eligibleStake } = record
  return { status, round, decidedAt, agreeing, dissenting, eligibleStake }
}
