/** Roots of open batches and of trust: two leaves of the state. Asked for after every block. */
import { toHex } from '../../codec/hex.ts'
import { hashTreeRoot, hexBytes, record } from '../../codec/schema.ts'
import {
  ballotListSchema,
  batchHeadSchema,
  batchRootsSchema,
  electorsListSchema,
  openRequestsSchema,
  sortedTrust,
  trustRootsSchema,
  trustSchema,
} from '../../codec/voting.ts'
import type { AccountId, Hex32 } from '../../types/primitives.ts'
import type { Electors, OpenBatch, ValidatorTrust, VerdictVoting } from '../../types/voting.ts'
import { bySchema, remembered } from '../remembered-roots.ts'

const requestsRoot: (requests: OpenBatch['requests']) => Hex32 = bySchema(openRequestsSchema)
const ballotsRoot: (ballots: OpenBatch['ballots']) => Hex32 = bySchema(ballotListSchema)
const electorsRoot: (electors: readonly Electors[]) => Hex32 = bySchema(electorsListSchema)
const rootOfTrust: (trust: ValidatorTrust) => Hex32 = bySchema(trustSchema)

const batchRoot: (batch: OpenBatch) => Hex32 = remembered((batch) => {
  const head = { ...batch, requests: requestsRoot(batch.requests), ballots: ballotsRoot(batch.ballots) }
  return toHex(hashTreeRoot(batchHeadSchema, head)) as Hex32
})

const openSchema = record<{ electors: Hex32; batches: Hex32 }>({
  electors: hexBytes<Hex32>(32),
  batches: hexBytes<Hex32>(32),
})

const batchListRoot: (batches: readonly OpenBatch[]) => Hex32 = remembered(
  (batches) => toHex(hashTreeRoot(batchRootsSchema, batches.map(batchRoot))) as Hex32,
)

/** Electors and open batches. */
export function batchesRoot({ electors, batches }: Pick<VerdictVoting, 'electors' | 'batches'>): Hex32 {
  const roots = { electors: electorsRoot(electors), batches: batchListRoot(batches) }
  return toHex(hashTreeRoot(openSchema, roots)) as Hex32
}

/** Trust in every validator there was, in order of account. */
export const trustRoot: (trust: ReadonlyMap<AccountId, ValidatorTrust>) => Hex32 = remembered(
  (trust) => toHex(hashTreeRoot(trustRootsSchema, sortedTrust(trust).map(rootOfTrust))) as Hex32,
)
