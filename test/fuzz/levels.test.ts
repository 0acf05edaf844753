/** Hostile requests at the level "attested": judged Invalid within the bounds of a record, never an error. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withAttestation } from '../../src/cli/operators/make-attestation.ts'
import { FAILURES_MAX, REASON_BYTES_MAX } from '../../src/codec/limits.ts'
import { canonicalTransaction } from '../../src/codec/transaction.ts'
import { utf8ToBytes } from '../../src/codec/utf8.ts'
import { uniformAssurance } from '../../src/ledger/validation-policy.ts'
import type { Attestation } from '../../src/types/attestation.ts'
import { asHeight, type BlockHash, type Hex32 } from '../../src/types/primitives.ts'
import { isValidation, type ValidationTransaction } from '../../src/types/transaction.ts'
import { mlDsaOperatorKey, OperatorChain } from '../support/operator-chain.ts'
import { certificateTransaction, fourProofTransaction } from '../unit/ledger/fixtures.ts'
import * as arbitrary from './arbitraries.ts'

const chain = new OperatorChain(
  { ...uniformAssurance('attested'), minimumWorkBits: 0 },
  { epochBlocks: 1_000 },
)
chain.next([
  chain.claim(4, 'register', mlDsaOperatorKey(8), {
    space: { bytes: 1_024n, leafSize: 256, root: 'ab'.repeat(32) as Hex32 },
  }),
])
chain.until(3)

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const attestation: fc.Arbitrary<Attestation> = fc.record({
  operatorId: fc.constantFrom('alpha', '', 'test', 'x'.repeat(200)),
  anchor: fc.record({
    height: fc.oneof(fc.nat(6), fc.nat(2 ** 30)).map(asHeight),
    hash: fc.constantFrom(chain.parent.hash, 'cd'.repeat(32) as BlockHash),
  }),
  sequence: u64,
  signature: fc.uint8Array({ maxLength: 3_309 }),
  workNonce: u64,
  openings: fc.array(
    fc.record({
      leaf: fc.constantFrom(0, 256, 2_048).map((length) => new Uint8Array(length)),
      path: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 4 }),
    }),
    { maxLength: 16 },
  ),
})
const named = <T extends ValidationTransaction>(transaction: T): T => transaction
const bases: fc.Arbitrary<ValidationTransaction> = fc.oneof(
  arbitrary.transaction.filter(
    (one): one is ValidationTransaction =>
      one.kind === 'validate-certificate' || one.kind === 'validate-proofs',
  ),
  fc.constant(
    named(
      certificateTransaction({ certificate: { nodeId: 'alpha' }, stake: { stakeHolderId: 'alpha' } })
        .transaction,
    ),
  ),
  fc.constant(named(fourProofTransaction({ top: { nodeId: 'alpha' } }).transaction)),
)

describe('a hostile request', () => {
  it('is judged, with failures that fit a record', () => {
    fc.assert(
      fc.property(bases, fc.option(attestation), (base, carried) => {
        const hashed = canonicalTransaction(carried === null ? base : withAttestation(base, carried))
        if (!hashed.ok || !isValidation(hashed.value)) return
        const failures = chain.failuresOf(hashed.value)
        expect(failures.length).toBeGreaterThan(0)
        expect(failures.length).toBeLessThan(FAILURES_MAX)
        for (const { reason } of failures) {
          expect(utf8ToBytes(reason).length).toBeLessThanOrEqual(REASON_BYTES_MAX)
          expect(reason).toMatch(/^[\x20-\x7e…]+$/)
        }
      }),
      { numRuns: 400 },
    )
  })
})
