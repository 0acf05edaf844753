/**
 * Whether two prepare votes prove that a validator committed twice in one slot (spec/commit-reveal.md 5.5), and what it
 * costs: half of its trust, once for each slot, no stake. The chain holds the first commit anyway; what is paid for is
 * having told others something else.
 */
import { commitsDigest } from '../../codec/ballots.ts'
import { prepareSigningPayload } from '../../codec/signing-payloads.ts'
import { compareSlots, isSameSlot } from '../../types/ballots.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import { type CommitPair, commitIn, type SignedCommits } from '../../types/evidence.ts'
import type { ChainParameters } from '../../types/genesis.ts'
import type { Height } from '../../types/primitives.ts'
import type { StakingState } from '../../types/staking.ts'
import { COMMIT_PAIRS_MAX, type ValidatorTrust, type VerdictVoting } from '../../types/voting.ts'
import type { ChainRules } from '../chain-rules.ts'
import type { EvidenceRefusal } from '../staking/staking-refusals.ts'
import { idOfKey, ownerOfKey } from '../staking/validator-keys.ts'
import { afterCommitPair } from './trust.ts'

/** What evidence is checked against: accounts, whose keys they are, and trust. */
export interface CommitPairState {
  readonly staking: Pick<StakingState, 'accounts' | 'epoch'>
  readonly voting: Pick<VerdictVoting, 'trust'>
}

/**
 * @param height of the block that would hold it
 * @returns the offender's trust after it
 */
export function checkCommitPair(
  pair: CommitPair,
  { staking, voting }: CommitPairState,
  height: Height,
  rules: ChainRules,
): Result<ValidatorTrust, EvidenceRefusal> {
  if (rules.verdicts === 'executed') {
    return refuse('evidence-unknown-key', 'nobody votes on this chain, so nobody commits twice')
  }
  const malformed = checkContents(pair)
  if (malformed !== null) return malformed
  const { slot, publicKey, first, second } = pair
  const epoch = Math.max(first.epoch, second.epoch)
  if (epoch > staking.epoch || slot.height >= height) {
    const there = `the next block is of height ${height}, in epoch ${staking.epoch}`
    return refuse('evidence-future-epoch', `it is about epoch ${epoch} and height ${slot.height}; ${there}`)
  }
  if (isOver(slot.height, height, rules.parameters)) {
    return refuse('evidence-expired', `the window has passed since height ${slot.height}`)
  }
  const owner = ownerOfKey(idOfKey(publicKey), staking.accounts)
  const trust = owner === null ? undefined : voting.trust.get(owner.account.id)
  if (owner === null || trust === undefined || (owner.lastEpoch !== null && epoch > owner.lastEpoch)) {
    return refuse('evidence-unknown-key', `no validator had the key in epoch ${epoch}`)
  }
  const { account } = owner
  if (account.tombstonedAt !== null) {
    return refuse('evidence-punished', `account ${account.id} was punished at height ${account.tombstonedAt}`)
  }
  const isKnown = trust.commitPairs.some((known) => isSameSlot(known, slot))
  if (isKnown || trust.commitPairs.length >= COMMIT_PAIRS_MAX) {
    return refuse(
      'evidence-punished',
      `account ${account.id} has paid for height ${slot.height}, or for enough`,
    )
  }
  for (const signed of [first, second]) {
    if (!isSigned(signed, pair, rules)) {
      return refuse('evidence-signature', `the vote of view ${signed.view} is not valid under the key`)
    }
  }
  return ok(afterCommitPair(trust, slot))
}

/** Pairs whose window is over can be proven no more: forgotten. The very object when there are none. */
export function withoutOldPairs(
  trust: ValidatorTrust,
  height: Height,
  parameters: Pick<ChainParameters, 'evidenceWindowBlocks'>,
): ValidatorTrust {
  const commitPairs = trust.commitPairs.filter((slot) => !isOver(slot.height, height, parameters))
  return commitPairs.length === trust.commitPairs.length ? trust : { ...trust, commitPairs }
}

/** In blocks alone: no stake is at risk that might be withdrawn meanwhile. */
function isOver(
  since: Height,
  height: Height,
  { evidenceWindowBlocks }: Pick<ChainParameters, 'evidenceWindowBlocks'>,
): boolean {
  return height - since > evidenceWindowBlocks
}

function checkContents({ slot, first, second }: CommitPair): Refusal<EvidenceRefusal> | null {
  if (slot.height > first.height || slot.height > second.height) {
    return refuse('evidence-height', `nobody votes about height ${slot.height} before it is there`)
  }
  if (!isInOrder(first) || !isInOrder(second)) {
    return refuse('evidence-commits', 'the commits of a vote come in order of height and round, each once')
  }
  const [one, other] = [commitIn(first, slot), commitIn(second, slot)]
  if (one === null || other === null) {
    return refuse('evidence-commits', `a vote has no commit to round ${slot.round} of height ${slot.height}`)
  }
  if (one === other) return refuse('evidence-same-content', 'both votes commit to the same')
  if (one > other) return refuse('evidence-order', 'the lower commit does not come first')
  const isOneView = first.epoch === second.epoch && first.view === second.view
  return isOneView && (first.blockHash !== second.blockHash || first.height !== second.height)
    ? refuse('evidence-equivocation', 'two blocks in one view are an equivocation, and are proven as one')
    : null
}

const isInOrder = ({ commits }: SignedCommits): boolean =>
  commits.every((commit, i) => {
    const before = commits[i - 1]
    return before === undefined || compareSlots(before, commit) < 0
  })

function isSigned(
  { signature, commits, ...vote }: SignedCommits,
  { publicKey }: CommitPair,
  { genesisHash, verifySignature }: ChainRules,
): boolean {
  const payload = prepareSigningPayload(genesisHash, vote, commitsDigest(commits))
  return verifySignature(publicKey, payload, signature, 'prepare')
}
