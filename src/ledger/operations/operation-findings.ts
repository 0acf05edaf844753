/**
 * What a validator says about an operation, in the form of findings: the component `request` is what the rules say and
 * the same on every honest node; all others are what its operator says. What breaks a rule is invalid throughout.
 */
import { unreachable } from '../../types/assert.ts'
import { COMPONENTS, type Findings, FOUND_INVALID, FOUND_VALID } from '../../types/ballots.ts'
import type { OperationVote } from '../../types/operations.ts'
import type { RuleFailure } from '../../types/verdict.ts'

const inAll = (value: number): Findings => COMPONENTS.reduce((sum, _, i) => sum | (value << (2 * i)), 0)
const RULES_HOLD: Findings = FOUND_VALID << (2 * COMPONENTS.indexOf('request'))
/** The four components of an operator's opinion. */
const OPINION_MASK: Findings = inAll(3) & ~(3 << (2 * COMPONENTS.indexOf('request')))

/**
 * @param failures of the rules, as the block's execution found them
 * @param vote what the operator told the node; abstain when nothing
 */
export function operationFindings(failures: readonly RuleFailure[], vote: OperationVote): Findings {
  if (failures.length > 0) return inAll(FOUND_INVALID)
  switch (vote) {
    case 'approve':
      return inAll(FOUND_VALID)
    case 'reject':
      return RULES_HOLD | (inAll(FOUND_INVALID) & OPINION_MASK)
    case 'abstain':
      return RULES_HOLD
    default:
      return unreachable(vote)
  }
}
