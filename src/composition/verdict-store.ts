/** The chain's verdicts as the validation service looks them up. */
import { isOpen } from '../ledger/verdicts/open-requests.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { VerdictStore } from '../validation/ports.ts'

export function verdictStore(chain: ChainStore): VerdictStore {
  return {
    verdict: (requestKey, requestIdHash) => onRequest(chain.verdict(requestKey, requestIdHash)),
    verdictById: (requestIdHash) => onRequest(chain.verdictById(requestIdHash)),
    isWaiting: (requestIdHash) => {
      const requestKey = chain.state.requestKeyOfId(requestIdHash)
      const { voting } = chain.state
      const isOperation = voting.operations.open.some(({ id }) => id === requestKey)
      return requestKey !== null && !isOperation && isOpen(voting, requestKey)
    },
    decisionById: (requestIdHash) => {
      const stored = chain.verdictById(requestIdHash)
      return stored?.record.kind === 'operation' ? stored : null
    },
  }
}

/** Whoever asks about a request must not take the decision on an operation for an answer. */
function onRequest(verdict: StoredVerdict | null): StoredVerdict | null {
  return verdict?.record.kind === 'operation' ? null : verdict
}
