/** The chain's verdicts as the validation service looks them up. */
import { isOpen } from '../ledger/verdicts/open-requests.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { VerdictStore } from '../validation/ports.ts'

export function verdictStore(chain: ChainStore): VerdictStore {
  return {
    verdict: (requestKey) => chain.verdict(requestKey),
    verdictById: (requestIdHash) => chain.verdictById(requestIdHash),
    isWaiting: (requestIdHash) => {
      const requestKey = chain.state.requestKeyOfId(requestIdHash)
      return requestKey !== null && isOpen(chain.state.voting, requestKey)
    },
  }
}
