/** Findings: what was found about one request, two bits for each component. */
import { unreachable } from '../../types/assert.ts'
import {
  ABSTAINED,
  COMPONENTS,
  type Component,
  type Findings,
  FOUND_INVALID,
  FOUND_VALID,
} from '../../types/ballots.ts'
import type { RuleFailure, VerdictStatus } from '../../types/verdict.ts'

/** Every component valid. */
export const ALL_VALID: Findings = COMPONENTS.reduce((sum, _, i) => sum | (FOUND_VALID << (2 * i)), 0)
/** Every component abstained. */
export const ALL_ABSTAINED: Findings = 0

/** The two bits of a component. */
export function findingOf(findings: Findings, component: Component): number {
  return (findings >> (2 * COMPONENTS.indexOf(component))) & 3
}

/** The findings that failed rules come to; all valid when none failed. */
export function findingsOf(failures: readonly RuleFailure[]): Findings {
  return COMPONENTS.reduce((sum, component, i) => {
    const failed = failures.some(({ subject }) => subject === component)
    return sum | ((failed ? FOUND_INVALID : FOUND_VALID) << (2 * i))
  }, 0)
}

/** Whether a number is findings at all: no bits beyond, and no component with the value that means nothing. */
export function areFindings(value: number): boolean {
  if (!Number.isInteger(value) || value < 0 || value >> (2 * COMPONENTS.length) !== 0) return false
  return COMPONENTS.every((component) => findingOf(value, component) !== 3)
}

/**
 * What final findings mean: Invalid as soon as one component is, Valid when all are, else nothing yet.
 * @returns null while there is no verdict
 */
export function statusOf(findings: Findings): Exclude<VerdictStatus, 'expired'> | null {
  let status: 'valid' | null = 'valid'
  for (const component of COMPONENTS) {
    const finding = findingOf(findings, component)
    switch (finding) {
      case FOUND_INVALID:
        return 'invalid'
      case ABSTAINED:
        status = null
        break
      case FOUND_VALID:
        break
      default:
        return unreachable(finding as never)
    }
  }
  return status
}

/** Whether findings contradict a verdict: in a component that the verdict has, and that was not abstained from. */
export function isDissent(findings: Findings, verdict: Findings): boolean {
  return COMPONENTS.some((component) => {
    const of = findingOf(findings, component)
    const final = findingOf(verdict, component)
    return of !== ABSTAINED && final !== ABSTAINED && of !== final
  })
}
