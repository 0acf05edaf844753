/** The chain's verdicts as the validation service looks them up. */
import { isOpen } from '../ledger/verdicts/open-requests.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { VerdictStore } from '../validation/ports.ts'

export function verdictStore(chain: ChainStore): VerdictStore {
  return {
    verdict: (requestKey) => onRequest(chain.verdict(requestKey)),
    verdictById: (requestIdHash) => onRequest(chain.verdictById(requestIdHash)),
    isWaiting: (requestIdHash) => {
      const requestKey = chain.state.requestKeyOfId(requestIdHash)
      return requestKey !== null && isOpen(chain.state.voting, requestKey)
    },
  }
}

/** Whoever asks about a request must not take the decision on an operation for an answer. */
function onRequest(verdict: StoredVerdict | null): StoredVerdict | null {
  return verdict?.record.kind === 'operation' ? null : verdict
}
