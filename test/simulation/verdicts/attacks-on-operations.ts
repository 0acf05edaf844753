/** Attacks on operations (spec/commit-reveal.md section 8), told on the ledger's own rules. Each says what went wrong. */
import { routeOf } from '../../../src/ledger/operations/routing.ts'
import type { NetworkOperation, StandardTask } from '../../../src/types/operations.ts'
import { asHeight } from '../../../src/types/primitives.ts'
import { OperationChain, voting } from '../../support/operation-chain.ts'

const ALL = [0, 1, 2, 3]

const deploy = (key: string): StandardTask => ({
  kind: 'service-deployment',
  key,
  value: 'stoq://[::1]:9292',
  version: 1,
})
const configure = (key: string): NetworkOperation => ({
  kind: 'network-configuration',
  key,
  value: '1',
  version: 1,
})

/** What a standard operation may not write. */
const CRITICAL_KEYS = ['policy.minimumStake', 'config/policy.minimumStake', 'trust/0', 'service/../policy']
/** What no row says that authority decides it: keys of the policy, keys and kinds that there are not. */
const CRITICAL: readonly NetworkOperation[] = [
  configure('policy.minimumStake'),
  configure('policy.unheardOf'),
  configure('impact.low'),
  { kind: 'other', name: 'service-deployment', payload: new Uint8Array(0) },
]
const FROM_A_LATER_VERSION = { kind: 'future-operation' } as unknown as NetworkOperation

/**
 * T24: a standard operation on a critical key, a critical one with everybody's certificate, unknown ones. All operators
 * reject: what is written or decided otherwise was not voted on.
 */
export function lowered(): string[] {
  const violations: string[] = []
  const must = (isSo: boolean, otherwise: string): void => {
    if (!isSo) violations.push(`T24: ${otherwise}`)
  }
  const nameOf = (of: NetworkOperation): string => ('key' in of ? of.key : of.kind)
  for (const of of [...CRITICAL, FROM_A_LATER_VERSION]) {
    must(routeOf(of) === 'full-bft', `${nameOf(of)} is decided by authority`)
  }
  const chain = new OperationChain(voting('reject', 'reject', 'reject', 'reject'))
  for (const key of CRITICAL_KEYS) {
    const refusal = chain.refusalOf(chain.order(0, deploy(key), ALL))
    must(refusal === 'operation-key', `a standard operation on ${key}: ${refusal ?? 'ordered'}`)
  }
  // What has another way now cannot be told on.
  if (violations.length > 0) return violations
  for (const of of CRITICAL) {
    const refusal = chain.refusalOf(chain.order(0, of, ALL))
    must(refusal === 'operation-opens', `a certificate on ${nameOf(of)}: ${refusal ?? 'ordered'}`)
    if (refusal === null) return violations
  }
  const proposed = CRITICAL.map((operation, i) => {
    const authority = chain.certificate(operation, ALL)
    return chain.action(i, { kind: 'propose', operation, opensAt: asHeight(2), authority })
  })
  chain.voted(proposed)
  must(chain.operations.decided.length === 0, 'a certificate decides in the block that orders it')
  chain.votedUntil(8)
  for (const { requestKey } of proposed) {
    const end = chain.endOf(requestKey)
    must(
      end?.outcome === 'rejected' && end.route === 'full-bft',
      `${end?.kind} ended ${end?.outcome} by ${end?.route}, and all rejected it`,
    )
  }
  const { policy, standard } = chain.operations
  must(policy === null && standard.entries.size === 0, 'something is written that all rejected')
  return violations
}
