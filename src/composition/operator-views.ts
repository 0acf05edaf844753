/** Operators and the network's policy as the public API shows them. */
import { toHex } from '../codec/hex.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import { operatorByName } from '../ledger/operators/operator-names.ts'
import { assuranceOf, currentPolicy, rulesUnder } from '../ledger/validation-policy.ts'
import type { OperatorPorts, OperatorView, PolicyView } from '../rpc/http/operator-ports.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { AccountId } from '../types/primitives.ts'

export class OperatorViews implements OperatorPorts {
  readonly #chain: Pick<ChainStore, 'tip'>
  readonly #rules: Pick<ChainRules, 'policy'>

  constructor(chain: Pick<ChainStore, 'tip'>, rules: Pick<ChainRules, 'policy'>) {
    this.#chain = chain
    this.#rules = rules
  }

  operator(name: string): OperatorView | null {
    const { operators } = this.#chain.tip.staking
    const operator = operatorByName(name, operators) ?? operators.get(name as AccountId) ?? null
    return operator === null ? null : { ...operator, publicKey: toHex(operator.publicKey) }
  }

  policy(): PolicyView {
    const policy = currentPolicy(rulesUnder(this.#rules, this.#chain.tip.voting.operations))
    return { ...policy, assurance: assuranceOf(policy) }
  }
}
