/** R13: what a replica still does when its epoch is over. Another one acts in the next. */
import { InvariantViolation, unreachable } from '../types/assert.ts'
import { sendCertificates } from './certificate-rules.ts'
import type { StepContext } from './context.ts'
import { onBlocksCommitted } from './duty-finalize.ts'
import type { ConsensusInput } from './input.ts'
import { onCommitVote } from './on-commit-vote.ts'
import { onReachability } from './on-reachability.ts'
import { onSigned } from './on-signed.ts'
import { onTimer } from './on-timer.ts'

/** Votes over the epoch's last state still count, and whoever is still in the epoch is told what became of it. */
export function handleAfterEpoch(context: StepContext, input: ConsensusInput): void {
  switch (input.kind) {
    case 'message-received': {
      const { from, message } = input
      if (message.kind === 'commit') onCommitVote(context, message)
      else if (message.kind === 'timeout') sendCertificates(context, from, message.view)
      else if (message.kind === 'certificate-request') sendCertificates(context, from, message.view)
      return
    }
    case 'signed':
      // What was asked for before the end must not be said after it.
      if (input.request.kind === 'commit') onSigned(context, input.request, input, neverAsked)
      return
    case 'blocks-committed':
      onBlocksCommitted(context, input)
      return
    case 'timer-expired':
      onTimer(context, input.timer, input.view)
      return
    case 'reachability-changed':
      onReachability(context, input.validator, input.isReachable)
      return
    case 'started':
    case 'resumed':
    case 'ballots-opened':
    case 'block-built':
    case 'block-checked':
    case 'blocks-received':
    case 'work-arrived':
    case 'work-exhausted':
      return
    default:
      unreachable(input)
  }
}

/** After the end of an epoch nothing of it is proposed. */
function neverAsked(): never {
  throw new InvariantViolation('a proposal after the end of its epoch')
}
