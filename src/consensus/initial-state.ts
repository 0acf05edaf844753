/** What a replica begins with: its options, made into the state that its rules work on. */
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import { asHeight, asMonotonicMs, asValidatorIndex, asView, type Epoch } from '../types/primitives.ts'
import { mintVerified } from '../types/verified.ts'
import { BlockTree } from './block-tree.ts'
import { CertificateStore } from './certificate-store.ts'
import type { ReplicaState } from './context.ts'
import { KeptBlocks } from './kept-blocks.ts'
import { LeaderElection } from './leader-election.ts'
import { Pacemaker } from './pacemaker.ts'
import type { ReplicaOptions } from './replica.ts'
import { recoveredForEpoch, restartView, SafetyState } from './safety.ts'
import { TimeoutAggregator } from './timeout-aggregator.ts'
import { Electorate } from './validator-set.ts'
import { VoteAggregator } from './vote-aggregator.ts'

/** @throws InvariantViolation for a validator whose record is of a later epoch */
export function initialState(options: ReplicaOptions): ReplicaState {
  const { final, finality, self, parameters } = options
  const { epoch } = options.validatorSet
  const electorate = new Electorate(options.validatorSet)
  assert(self === null || options.recovered.epoch <= epoch, 'no validator goes back to an epoch that is over')
  const recovered = recoveredForEpoch(options.recovered, epoch)
  const ofFinal = finality === null ? rootCertificate(final, epoch) : finality
  const leaders = new LeaderElection(electorate, options.leaderRecord)
  const highest =
    recovered.highQc !== null && recovered.highQc.view > ofFinal.view ? recovered.highQc : ofFinal
  const certificates = new CertificateStore(
    // Own durable records and the own database: checked when they were written.
    mintVerified(highest),
    recovered.highTc === null ? null : mintVerified<TimeoutCertificate>(recovered.highTc),
    finality === null ? null : mintVerified(finality),
  )
  if (finality !== null && finality.height > final.header.height) {
    certificates.addPendingFinality(mintVerified(finality))
  }
  if (highest.kind === 'pre-commit' && highest.height > final.header.height) {
    certificates.addPendingFinality(mintVerified(highest))
  }
  certificates.add(mintVerified(ofFinal))
  const tree = new BlockTree(final)
  const keptBlocks = new KeptBlocks()
  for (const block of options.recoveredBlocks) {
    tree.add(block)
    keptBlocks.keep(block)
  }
  const others = options.validatorSet.validators.map((_, i) => asValidatorIndex(i)).filter((i) => i !== self)
  return {
    self,
    epoch,
    epochEnd: options.epochEnd,
    parameters,
    electorate,
    leaders,
    pacemaker: options.pacemaker ?? new Pacemaker(parameters),
    safety: new SafetyState(recovered),
    tree,
    keptBlocks,
    certificates,
    prepareVotes: new VoteAggregator(electorate),
    preCommitVotes: new VoteAggregator(electorate),
    commitVotes: new VoteAggregator(electorate),
    timeouts: new TimeoutAggregator(electorate),
    proposals: new Map(),
    equivocalViews: new Set(),
    unprovenTimeouts: new Map(),
    lastCommitVote: null,
    committed: new Map(),
    certifiedHeight: asHeight(0),
    committedHeight: final.header.height,
    committedTime: final.header.timestamp,
    unreachable: new Set(others),
    view: restartView(recovered, highest.view, ofFinal.view),
    viewEnteredAt: asMonotonicMs(0),
    quietSince: asMonotonicMs(0),
    activeSince: null,
    hasWork: false,
    isStarting: true,
    proposalStage: 'not-started',
    isYielding: false,
    hasYielded: false,
    finalAt: null,
    openingsHeard: new Map(),
    openingsLateSince: null,
    lateBallots: null,
    isEmptyDue: false,
    refusedView: asView(0),
    timeoutRepeats: 0,
    isFetchTimerSet: false,
    syncTarget: asHeight(0),
    lastReplyAt: new Map(),
    lastRequestAt: new Map(),
    isEpochOver: false,
    commitRepeats: 0,
    isHalted: false,
  }
}

/**
 * What the first block of an epoch builds on: QC(PREPARE, v, B) over genesis, or over the last block of the epoch
 * before, v being its view. It needs no signatures: whoever takes part in the epoch has B final (R13).
 */
export function rootCertificate(root: HashedBlock, epoch: Epoch): QuorumCertificate {
  return {
    kind: 'prepare',
    epoch,
    view: root.header.view,
    height: root.header.height,
    blockHash: root.hash,
    stateRoot: null,
    signatures: [],
  }
}
