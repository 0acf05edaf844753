/** A certificate of more than a third of the active stake: among its signers is an honest one (spec/commit-reveal.md 6.1). */
import { type Refusal, refuse } from '../../types/errors.ts'
import type { AuthoritySignature } from '../../types/operations.ts'
import type { VerifySignature } from '../../types/signatures.ts'
import type { StakingState } from '../../types/staking.ts'
import type { VerdictVoting } from '../../types/voting.ts'
import { eligibleStakeOf } from '../verdicts/electors.ts'
import type { OperationRefusal } from './operation-refusals.ts'

/** Whether signatures are enough, before any is verified: that is the dearest. */
export function checkCertificate(
  signatures: readonly AuthoritySignature[],
  { payload, context }: { readonly payload: Uint8Array; readonly context: 'authority' | 'escalation' },
  { electors }: Pick<VerdictVoting, 'electors'>,
  { validators }: Pick<StakingState, 'validators'>,
  verifySignature: VerifySignature,
): Refusal<OperationRefusal> | null {
  const members = electors.at(-1)?.members ?? []
  const keys = new Map(validators.map(({ id, publicKey }) => [id, publicKey]))
  let weight = 0n
  const toVerify: { readonly key: Uint8Array; readonly signature: Uint8Array }[] = []
  for (const [i, { account, signature }] of signatures.entries()) {
    if (i > 0 && account <= (signatures[i - 1]?.account ?? '')) {
      return refuse('operation-certificate', 'signatures are not in order of account, each once')
    }
    const elector = members.find((member) => member.account === account && member.weighs)
    const key = elector === undefined ? undefined : keys.get(elector.id)
    if (elector === undefined || key === undefined) {
      return refuse('operation-certificate', `account ${account} has no active validator in this period`)
    }
    weight += elector.stake
    toVerify.push({ key, signature })
  }
  const active = eligibleStakeOf(members)
  if (3n * weight <= active) {
    return refuse(
      'operation-authority',
      `signatures of stake ${weight}, more than a third of the active ${active} is needed`,
    )
  }
  const isSigned = toVerify.every(({ key, signature }) => verifySignature(key, payload, signature, context))
  return isSigned ? null : refuse('operation-certificate', 'a signature in it is not valid')
}
