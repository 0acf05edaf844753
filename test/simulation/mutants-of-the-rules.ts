/** Mutants of the consensus rules S0 to R11 (src/consensus/README.md). */

import { HONEST, type Misbehaviour } from './adversary.ts'
import type { Byzantine } from './cluster.ts'
import type { SourceChange } from './lane/source-change.ts'
import type { Mutant } from './mutants.ts'
import { siege } from './siege.ts'
import type { RunChanges } from './swarm.ts'

const SAFETY = 'src/consensus/safety.ts'
const SIGNED = 'src/consensus/on-signed.ts'
const VOTE = 'src/consensus/duty-vote.ts'
const PREPARE = 'src/consensus/prepare-rules.ts'
const SIGNER = 'src/crypto/signer.ts'
const VERIFIER = 'src/runtime/message-verifier.ts'

/** The signer refuses what the record forbids: the line of defence behind the rules about votes. */
const BLIND_SIGNER: readonly SourceChange[] = [
  {
    file: SIGNER,
    find: '    const newest = this.#newest.get(kind)\n',
    replace: '    const newest = undefined as SignedSlot | undefined\n',
  },
  {
    file: SIGNER,
    find: "      const timeout = this.#newest.get('timeout')",
    replace: '      const timeout = undefined as SignedSlot | undefined',
  },
]

/** Many restarts in a short time. */
const restarts = (seed: number): RunChanges => ({
  crashChance: 0.008,
  downMaxMs: 60,
  diskMaxMs: 10,
  delayMaxMs: 120,
  drop: 0.1,
  livenessMs: 10_000,
  powerCutEveryMs: seed % 2 === 1 ? 500 : 0,
})

/** … while one leader in four proposes two blocks. */
const restartsAmongVersions = (seed: number): RunChanges => ({
  ...restarts(seed),
  stakes: [1n, 1n, 1n, 1n],
  byzantine: new Map([[seed % 4, lying({ equivocate: 1, doubleVote: 1, replay: 0.2 })]]),
  crashChance: 0.015,
  downMaxMs: 20,
})

/** Views fail, and those who lead some of them lie with all keys in one hand. */
const liars = (seed: number): RunChanges => ({
  stakes: seed % 2 === 0 ? [1n, 1n, 1n, 1n] : [2n, 2n, 2n, 1n, 1n],
  byzantine: new Map([[seed % 3, lying({ withhold: 0.5, equivocate: 0.5, doubleVote: 0.9, stale: 0.9 })]]),
  isOmniscient: true,
  parameters: { unreachableLeaderTimeoutMs: 40, viewTimeoutMinMs: 60, viewTimeoutMaxMs: 300 },
  drop: 0.1 + 0.1 * (seed % 4),
  delayMaxMs: 250,
  crashChance: 0,
  powerCutEveryMs: 0,
  healAtMs: 3_000,
  livenessMs: 10_000,
})

function lying(habits: Partial<Misbehaviour>): Byzantine {
  return { kind: 'liar', habits: { ...HONEST, ...habits } }
}

/** The liar's blocks break rules of the ledger. */
const outlaws = (seed: number): RunChanges => ({
  ...liars(seed),
  byzantine: new Map([[seed % 3, lying({ illegal: 0.9 })]]),
  drop: 0,
  delayMaxMs: 30,
})

/** The liar forks from blocks that are not final everywhere. */
const forkers = (seed: number): RunChanges => ({
  ...liars(seed),
  byzantine: new Map([[seed % 3, lying({ fork: 0.7, doubleVote: 1, equivocate: 0.3 })]]),
})

const fold = (field: string): SourceChange => ({
  file: SAFETY,
  find: `      ${field}: record.${field} ?? fold.${field},`,
  replace: `      ${field}: fold.${field},`,
})

export const SAFETY_MUTANTS: readonly Mutant[] = [
  {
    name: 'S0-says-before-durable',
    rule: 'S0: what is signed leaves after its record is durable',
    class: 'safety',
    budget: 2,
    changes: [
      {
        file: 'src/runtime/durable-outbox.ts',
        find: 'if (this.#held.length === 0 && this.#durable === this.#appended) run()',
        replace: 'if (this.#appended >= 0) run()',
      },
    ],
  },
  {
    name: 'S0-forgets-prepare',
    rule: 'S0: the last prepare vote survives a restart',
    class: 'safety',
    budget: 30,
    changes: [fold('prepare')],
    options: restartsAmongVersions,
  },
  {
    name: 'S0-forgets-pre-commit',
    rule: 'S0: the last pre-commit vote survives a restart',
    class: 'liveness',
    budget: null,
    changes: [fold('preCommit')],
    options: restarts,
  },
  {
    name: 'S0-forgets-timeout',
    rule: 'S0: the last timeout survives a restart',
    class: 'safety',
    budget: 30,
    changes: [fold('timeout')],
    options: restarts,
  },
  {
    name: 'S0-forgets-proposal',
    rule: 'S0: the last proposal survives a restart',
    class: 'safety',
    budget: 30,
    // What remembers that the view's prepare vote was signed remembers that its proposal was.
    changes: [fold('proposal'), fold('prepare')],
    options: restarts,
  },
  {
    name: 'S0-forgets-lock',
    rule: 'S0: the lock survives a restart',
    class: 'safety',
    budget: 30,
    changes: [fold('highQc'), fold('highTc')],
    options: restarts,
  },
  {
    name: 'S0-forgets-blocks',
    rule: 'S0: the blocks under votes survive the loss of all power',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: SAFETY,
        find: '    blocks.push(...record.blocks)\n',
        replace: '',
      },
    ],
    options: restarts,
  },
  {
    name: 'S1-signs-anew',
    rule: 'S1: what was signed is said again, not signed anew',
    class: 'safety',
    budget: 30,
    changes: [
      ...BLIND_SIGNER,
      {
        file: SAFETY,
        find: '    this.#askedPrepare = recovered.prepare?.view ?? BEFORE_ALL',
        replace: '    this.#askedPrepare = BEFORE_ALL',
      },
      {
        file: 'src/consensus/on-started.ts',
        find: '  if (proposal !== null && proposed >= view - 1) {',
        replace: '  if (proposal !== null && proposed < 0) {',
      },
    ],
    options: restarts,
  },
  {
    name: 'R0-final-is-no-lock',
    rule: 'R0: a pre-commit certificate locks like a prepare certificate',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/certificate-rules.ts',
        find: `  applyPrepareCertificate(context, certificate)
  if (certificate.height > header.height)`,
        replace: '  if (certificate.height > header.height)',
      },
    ],
  },
  {
    name: 'R1-leaves-view-with-less',
    rule: 'R1: a view is left on timeouts of a quorum',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: 'src/consensus/timeout-aggregator.ts',
        find: 'this.weightOf(view) < this.#electorate.quorum',
        replace: 'this.weightOf(view) < this.#electorate.amplification',
      },
      {
        file: VERIFIER,
        find: '    if (!this.#isQuorum(timeouts.map(({ voter }) => voter))) return null',
        replace: '    if (timeouts.length === 0) return null',
      },
    ],
    options: (seed) => siege(seed, 1),
  },
  {
    name: 'R2-proposes-without-certificate',
    rule: 'R2: after a failed view the proposal shows its timeout certificate',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/duty-propose.ts',
        find: '  const timeoutCertificate = block.header.justify.view === view - 1 ? null : highTc',
        replace: '  const timeoutCertificate = block.header.justify.view >= view ? highTc : null',
      },
    ],
  },
  {
    name: 'R3b-trusts-justify',
    rule: 'R3 (b): the certificate under a proposal is held and verified',
    class: 'safety',
    budget: 60,
    changes: [
      {
        file: PREPARE,
        find: "  if (!state.certificates.holds(header.justify)) return 'not-known-yet'\n",
        replace: '',
      },
      {
        file: PREPARE,
        find: 'if (header.justify.view !== parent.header.view) {',
        replace: 'if (header.view < 0) {',
      },
    ],
    options: forkers,
  },
  {
    name: 'R3c-votes-twice',
    rule: 'R3 (c): one prepare vote in a view',
    class: 'safety',
    budget: 20,
    changes: [
      ...BLIND_SIGNER,
      {
        file: VOTE,
        find: `  if (state.self === null || proposal === undefined || !state.safety.mayPrepare(state.view)) return
  const { header, hash } = proposal.block`,
        replace: `  if (state.self === null || proposal === undefined || state.safety.isGivenUp(state.view)) return
  const { header, hash } = proposal.block
  if (state.safety.lastPrepare?.blockHash === hash) return`,
      },
      {
        file: 'src/consensus/on-proposal.ts',
        find: 'if (first !== undefined && first.block.hash !== hash && first',
        replace: 'if (first !== undefined && first.block.header.view < 0 && first',
      },
      {
        file: 'src/consensus/on-proposal.ts',
        find: '  if (state.proposals.get(header.view)?.block.header.proposer === header.proposer) return\n',
        replace: '',
      },
    ],
    options: liars,
  },
  {
    name: 'R3d-prepares-after-timeout',
    rule: 'R3 (d): no prepare vote in a view that was given up',
    class: 'safety',
    budget: 30,
    changes: [
      ...BLIND_SIGNER,
      {
        file: SAFETY,
        find: '    return view > this.#askedPrepare && view > this.#askedTimeout',
        replace: '    return view > this.#askedPrepare',
      },
      {
        file: SIGNED,
        find: '      if (state.safety.isGivenUp(view)) return\n',
        replace: "      if (kind !== 'prepare' && state.safety.isGivenUp(view)) return\n",
      },
    ],
    options: liars,
  },
  {
    name: 'R3e-no-lock-clause',
    rule: 'R3 (e): a proposal is at least as high as any report in its timeout certificate',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: SAFETY,
        find: '  return justify.view >= highestReported(timeoutCertificate)',
        replace: '  return justify.view >= 0',
      },
    ],
    options: (seed) => siege(seed, 2),
  },
  {
    name: 'R3f-prepares-unchecked',
    rule: 'R3 (f): the block is valid down to the final one',
    class: 'liveness',
    budget: 30,
    changes: [
      {
        file: PREPARE,
        find: '  if (parent === null || !state.tree.isValid(hash)) {',
        replace: '  if (parent === null) {',
      },
    ],
    options: outlaws,
  },
  {
    name: 'R3f-time-to-come',
    rule: 'R3 (f): the time of a block is not ahead of the clock',
    class: 'safety',
    budget: 30,
    changes: [
      {
        file: PREPARE,
        find: '  if (aheadMs > state.parameters.clockSkewMaxMs) {',
        replace: '  if (Number.isNaN(aheadMs)) {',
      },
    ],
    options: outlaws,
  },
  {
    name: 'R4-lock-goes-down',
    rule: 'R4: the lock never goes down',
    class: 'safety',
    budget: 20,
    changes: [
      {
        file: 'src/consensus/certificate-store.ts',
        find: '    if (certificate.view <= this.#highQc.view) return false\n',
        replace: '    if (certificate.view === this.#highQc.view) return false\n',
      },
    ],
    options: (seed) => siege(seed, 2),
  },
  {
    name: 'R5-pre-commits-after-timeout',
    rule: 'R5: no pre-commit vote in a view that was given up',
    class: 'safety',
    budget: 30,
    changes: [
      ...BLIND_SIGNER,
      {
        file: SAFETY,
        find: '    return view > this.#askedPreCommit && view > this.#askedTimeout',
        replace: '    return view > this.#askedPreCommit',
      },
      {
        file: SIGNED,
        find: '      if (state.safety.isGivenUp(view)) return\n',
        replace: "      if (kind !== 'pre-commit' && state.safety.isGivenUp(view)) return\n",
      },
    ],
    options: liars,
  },
  {
    name: 'R5-lock-not-in-record',
    rule: 'R5: the lock is in the same durable record as the vote',
    class: 'safety',
    budget: 5,
    changes: [{ file: SAFETY, find: 'highQc: isQcNew ? highQc : null', replace: 'highQc: null' }],
  },
  {
    name: 'R6-final-by-less',
    rule: 'R6: final by a quorum of pre-commit votes',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: 'src/consensus/vote-aggregator.ts',
        find: 'if (before >= this.#electorate.quorum || weight < this.#electorate.quorum)',
        replace: 'if (before >= this.#electorate.amplification || weight < this.#electorate.amplification)',
      },
    ],
  },
  {
    name: 'R7-votes-before-durable',
    rule: 'R7: a commit vote is for a state that is durable',
    class: 'safety',
    budget: 10,
    changes: [
      {
        file: 'src/runtime/finalizer.ts',
        find: '    await store.commitFinalized(finalized)\n',
        replace: '    void store.commitFinalized(finalized)\n',
      },
    ],
  },
  {
    name: 'R8-says-timeout-once',
    rule: 'R8: a timeout is repeated until the view is left',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/on-timer.ts',
        find: '  if (lastTimeout === null || lastTimeout.view !== state.view) return',
        replace: '  if (lastTimeout === null || lastTimeout.view >= 0) return',
      },
    ],
  },
  {
    name: 'R9-does-not-join',
    rule: 'R9: timeouts of weight A are joined',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/on-timeout.ts',
        find: '  if (amplified !== null) {',
        replace: '  if (amplified !== null && amplified < 0) {',
      },
    ],
  },
  {
    name: 'R10-counts-unproven',
    rule: 'R10: a timeout counts when what it reports is proven here',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/on-timeout.ts',
        find: '  if (timeout.highQcView > state.certificates.highQc.view) {\n    const',
        replace: '  if (timeout.highQcView < 0) {\n    const',
      },
    ],
    options: liars,
  },
  {
    name: 'R11-forgets-timeout-certificate',
    rule: 'R11: after a restart the view follows from timeout certificates as well',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: SAFETY,
        find: 'Math.max(highQcView, recovered.highTc?.view ?? 0, finalView)',
        replace: 'Math.max(highQcView, finalView)',
      },
    ],
    options: restarts,
  },
  {
    name: 'R11-answers-nobody',
    rule: 'R11: one who is behind is answered with certificates',
    class: 'liveness',
    budget: null,
    changes: [
      {
        file: 'src/consensus/certificate-rules.ts',
        find: '  if (last !== undefined && context.since(last) < EXCHANGE_INTERVAL_MS) return\n  const bundle',
        replace: '  if (theirView >= 0 || last !== undefined) return\n  const bundle',
      },
    ],
  },
]

export { liars, outlaws, restarts }
