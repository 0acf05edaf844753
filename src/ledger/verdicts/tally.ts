/** What the openings of a slot come to: the verdict on one request, counted over all stake that could weigh. */
import { COMPONENTS, type Findings, FOUND_INVALID, FOUND_VALID } from '../../types/ballots.ts'
import type { Elector, OpenBatch, OpenRequest } from '../../types/voting.ts'
import { findingOf, isDissent } from './findings.ts'

/** Version of the four-proof rules that validators judge by on this network (genesis fixes them with the program). */
export const RULES_VERSION = 1

/** An opening that counts, and whose. */
export interface CountedOpening {
  readonly elector: Elector
  readonly findings: readonly Findings[]
}

/** The openings of a batch that count: in time, and by the network's rules. One by other rules abstains. */
export function countedOpenings(batch: OpenBatch, members: readonly Elector[]): CountedOpening[] {
  return batch.ballots.flatMap(({ elector: position, opening }) => {
    const elector = members[position]
    if (elector === undefined || opening === null || opening.isLeak || opening.rules !== RULES_VERSION)
      return []
    return [{ elector, findings: opening.findings }]
  })
}

/**
 * What a quorum found about one request. The denominator is the stake of all that could weigh, never that of those
 * who opened: or silence would be a way to decide.
 * @param quorum weight that a value needs
 * @returns for each component its value when a quorum has it, else abstained
 */
export function tallied(openings: readonly CountedOpening[], quorum: bigint, request: number): Findings {
  return COMPONENTS.reduce((verdict, component, i) => {
    for (const value of [FOUND_VALID, FOUND_INVALID]) {
      const weight = openings.reduce(
        (sum, { elector, findings }) =>
          elector.weighs && findingOf(findings[request] ?? 0, component) === value
            ? sum + elector.stake
            : sum,
        0n,
      )
      if (weight >= quorum) return verdict | (value << (2 * i))
    }
    return verdict
  }, 0)
}

/** Whether every component has a quorum. */
export function isWhole(verdict: Findings): boolean {
  return COMPONENTS.every((component) => findingOf(verdict, component) !== 0)
}

/** Whether findings contradict a verdict nowhere, and say something. */
const agrees = (findings: Findings, verdict: Findings): boolean =>
  findings !== 0 && !isDissent(findings, verdict)

/** Whether findings say all that a verdict says. */
const saysAll = (findings: Findings, verdict: Findings): boolean =>
  COMPONENTS.every((component) => {
    const final = findingOf(verdict, component)
    return final === 0 || findingOf(findings, component) === final
  })

/**
 * Who agreed with a verdict and who did not.
 * @param kind of the request: to abstain from an opinion of an operation is not to share one
 */
export function agreementOf(
  openings: readonly CountedOpening[],
  request: number,
  verdict: Findings,
  kind: OpenRequest['kind'],
): {
  readonly agreeing: { readonly validators: number; readonly stake: bigint }
  readonly dissenting: number
} {
  const agreeing = openings.filter(
    ({ elector, findings }) =>
      elector.weighs && (kind === 'operation' ? saysAll : agrees)(findings[request] ?? 0, verdict),
  )
  const dissenting = openings.filter(({ findings }) => isDissent(findings[request] ?? 0, verdict)).length
  const stake = agreeing.reduce((sum, { elector }) => sum + elector.stake, 0n)
  return { agreeing: { validators: agreeing.length, stake }, dissenting }
}
