/**
 * Whether evidence proves an offence that is to be punished (R12). Contents are compared, never signature bytes:
 * two hedged signatures over one content are no evidence.
 */
import { voteSigningPayload } from '../../codec/signing-payloads.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import { compareContents, type Evidence, type SignedContent } from '../../types/evidence.ts'
import type { Account, StakingState } from '../../types/staking.ts'
import type { ChainRules } from '../chain-rules.ts'
import { type ChainMoment, isEpochExpired } from './evidence-window.ts'
import type { EvidenceRefusal } from './staking-refusals.ts'
import { idOfKey, ownerOfKey } from './validator-keys.ts'

/**
 * @param now the block that would hold it
 * @returns the account to be punished
 */
export function checkEvidence(
  evidence: Evidence,
  state: Pick<StakingState, 'accounts' | 'epoch' | 'epochEnds'>,
  now: ChainMoment,
  rules: ChainRules,
): Result<Account, EvidenceRefusal> {
  const malformed = checkContents(evidence)
  if (malformed !== null) return malformed
  const { epoch, publicKey } = evidence
  if (epoch > state.epoch) {
    return refuse('evidence-future-epoch', `it is about epoch ${epoch}, the current one is ${state.epoch}`)
  }
  if (isEpochExpired(epoch, state, now, rules.parameters)) {
    return refuse('evidence-expired', `both windows have passed since the end of epoch ${epoch}`)
  }
  const owner = ownerOfKey(idOfKey(publicKey), state.accounts)
  if (owner === null || (owner.lastEpoch !== null && epoch > owner.lastEpoch)) {
    return refuse('evidence-unknown-key', `no account had the key in epoch ${epoch}`)
  }
  const { account } = owner
  if (account.tombstonedAt !== null) {
    return refuse('evidence-punished', `account ${account.id} was punished at height ${account.tombstonedAt}`)
  }
  for (const content of [evidence.first, evidence.second]) {
    if (!isSigned(evidence, content, rules)) {
      return refuse(
        'evidence-signature',
        `the signature over ${content.blockHash} is not valid under the key`,
      )
    }
  }
  return ok(account)
}

/**
 * Whether evidence proves that one key signed two contents, however long ago and whoever it belongs to.
 * @param rules of the network that it was signed for
 */
export function isProvenEquivocation(evidence: Evidence, rules: ChainRules): boolean {
  return (
    checkContents(evidence) === null &&
    [evidence.first, evidence.second].every((content) => isSigned(evidence, content, rules))
  )
}

function checkContents({ kind, first, second }: Evidence): Refusal<EvidenceRefusal> | null {
  if (kind !== 'prepare' && (first.commits !== null || second.commits !== null)) {
    return refuse('evidence-commits', 'only prepare votes sign for commits')
  }
  const order = compareContents(first, second)
  if (order === 0) return refuse('evidence-same-content', 'both signatures are over one content')
  return order > 0 ? refuse('evidence-order', 'the lower content does not come first') : null
}

function isSigned(
  { kind, epoch, view, publicKey }: Evidence,
  { height, blockHash, signature, commits }: SignedContent,
  { genesisHash, verifySignature }: ChainRules,
): boolean {
  const payload = voteSigningPayload(genesisHash, { kind, epoch, view, height, blockHash }, commits)
  return verifySignature(publicKey, payload, signature, kind)
}
