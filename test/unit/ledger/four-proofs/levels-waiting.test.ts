/**
 * Attested requests that wait for their verdict: all that one would spend is kept from others until then, a forged one
 * keeps it no longer, and nothing is spent twice.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withAttestation } from '../../../../src/cli/operators/make-attestation.ts'
import { makeSpace } from '../../../../src/cli/operators/space-file.ts'
import { decodeAttestation } from '../../../../src/codec/attestation.ts'
import { hashTransaction } from '../../../../src/codec/transaction.ts'
import { operatorSequenceHash } from '../../../../src/ledger/attestation/statement.ts'
import { buildBlock, isGoodLater } from '../../../../src/ledger/build-block.ts'
import { uniformAssurance } from '../../../../src/ledger/validation-policy.ts'
import { highestOpenSequence } from '../../../../src/ledger/verdicts/open-requests.ts'
import { ATTESTATION_KEY, type Attestation } from '../../../../src/types/attestation.ts'
import type { SpaceCommitment } from '../../../../src/types/operator.ts'
import type { CertificateTransaction, HashedTransaction } from '../../../../src/types/transaction.ts'
import { mlDsaOperatorKey, OperatorChain } from '../../../support/operator-chain.ts'
import { certificateTransaction, timeProof } from '../fixtures.ts'

const MIB = 1_048_576
const key = mlDsaOperatorKey(8)
const folder = mkdtempSync(join(tmpdir(), 'waiting-'))
let commitment: SpaceCommitment
beforeAll(async () => {
  commitment = await makeSpace(join(folder, 'alpha'), MIB, 1_024, () => {})
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A network that asks for attestations, and for no bits: any nonce is work. */
function network(level: 'registered' | 'attested' = 'attested'): OperatorChain {
  const chain = new OperatorChain({ ...uniformAssurance(level), minimumWorkBits: 0 }, { epochBlocks: 1_000 })
  chain.next([chain.claim(4, 'register', key, { space: commitment })])
  return chain
}

/** What differs from one request to the next. */
interface Fields {
  readonly nonce: bigint
  readonly sequence: bigint
  readonly workNonce: bigint
}

/** Alpha's attested request; `change` is made after it was attested. */
async function request(
  chain: OperatorChain,
  { nonce, sequence, workNonce }: Fields,
  change: Partial<Attestation> = {},
): Promise<HashedTransaction<CertificateTransaction>> {
  const { transaction } = certificateTransaction({
    top: { requestId: `request-${nonce}-${sequence}-${workNonce}` },
    certificate: { nodeId: 'alpha' },
    stake: { stakeHolder: 'Alpha Ltd', stakeHolderId: 'alpha' },
    space: { nodeId: 'alpha', totalStorage: BigInt(MIB) },
    work: { ownerId: 'alpha' },
    time: timeProof({ nonce }),
  })
  const space = { folder: join(folder, 'alpha'), commitment }
  const attested = await chain.attest(transaction, 'alpha', key, space, { sequence })
  const text = attested.request.validationContext.metadata.find(([name]) => name === ATTESTATION_KEY)?.[1]
  const read = decodeAttestation(text ?? '')
  if (!read.ok) throw new Error(read.detail)
  return hashTransaction(withAttestation(transaction, { ...read.value, workNonce, ...change }))
}

const FORGED: Partial<Attestation> = { signature: new Uint8Array(3_309) }

/** For which reason the next block leaves a request out, and whether a later one can have it. */
function skipped(chain: OperatorChain, candidate: HashedTransaction): [string, boolean] | null {
  const [first] = buildBlock(chain.fields(), [candidate], chain.parent, chain.genesis.rules).skipped
  return first === undefined ? null : [first.code, isGoodLater(first)]
}

const statuses = (blocks: ReturnType<OperatorChain['decided']>) =>
  blocks.flatMap(({ changes }) => changes.verdicts.map(({ status }) => status))

describe('an attested request that waits', () => {
  it('keeps both nullifiers and its place in the sequence, and a Valid verdict spends them', async () => {
    const chain = network()
    const first = await request(chain, { nonce: 1n, sequence: 5n, workNonce: 11n })
    chain.voted([first])
    const [open] = chain.parent.state.voting.batches[0]?.requests ?? []
    expect(open?.nullifiers).toHaveLength(2)
    expect(highestOpenSequence(chain.parent.state.voting, operatorSequenceHash('alpha'))).toBe(5n)

    const sameTime = await request(chain, { nonce: 1n, sequence: 6n, workNonce: 12n })
    const sameWork = await request(chain, { nonce: 2n, sequence: 6n, workNonce: 11n })
    const same = await request(chain, { nonce: 2n, sequence: 5n, workNonce: 12n })
    const lower = await request(chain, { nonce: 2n, sequence: 4n, workNonce: 12n })
    const higher = await request(chain, { nonce: 2n, sequence: 6n, workNonce: 12n })
    expect(skipped(chain, sameTime)).toEqual(['nullifier-reserved', true])
    expect(skipped(chain, sameWork)).toEqual(['nullifier-reserved', true])
    expect(skipped(chain, same)).toEqual(['sequence-reserved', true])
    expect(skipped(chain, lower)).toEqual(['sequence-reserved', true])
    expect(skipped(chain, higher)).toBe(null)

    const blocks = chain.decided(higher)
    while (statuses(blocks).length < 2) blocks.push(chain.voted())
    expect(statuses(blocks)).toEqual(['valid', 'valid'])
    expect(blocks.flatMap(({ changes }) => changes.nullifiers)).toHaveLength(4)
    expect(chain.parent.state.lastSequence(operatorSequenceHash('alpha'))).toBe(6n)
    for (const nullifier of open?.nullifiers ?? []) {
      expect(chain.parent.state.hasNullifier(nullifier)).toBe(true)
    }
    // Judged now, and told what is wrong with it.
    expect(chain.failuresOf(sameWork).map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(/work nonce 11 of operator "alpha" is replayed/),
    )
    expect(chain.failuresOf(lower).map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(
        /attested sequence 4 of operator "alpha" is replayed: the last one recorded is 6/,
      ),
    )
  })

  it('keeps them within its own block too', async () => {
    const chain = network()
    const first = await request(chain, { nonce: 1n, sequence: 5n, workNonce: 11n })
    const sameWork = await request(chain, { nonce: 2n, sequence: 6n, workNonce: 11n })
    const lower = await request(chain, { nonce: 3n, sequence: 4n, workNonce: 13n })
    const { skipped: left } = buildBlock(
      chain.fields(),
      [first, sameWork, lower],
      chain.parent,
      chain.genesis.rules,
    )
    expect(left.map(({ code }) => code)).toEqual(['nullifier-reserved', 'sequence-reserved'])
  })

  it('that is forged keeps an honest one waiting for one verdict, and spends nothing', async () => {
    const chain = network()
    const honest = await request(chain, { nonce: 1n, sequence: 5n, workNonce: 11n })
    const forged = await request(chain, { nonce: 1n, sequence: 2n ** 64n - 1n, workNonce: 11n }, FORGED)
    expect(chain.failuresOf(forged)).toHaveLength(1)
    const blocks = [chain.voted([forged])]
    expect(skipped(chain, honest)).toEqual(['nullifier-reserved', true])
    while (statuses(blocks).length === 0) blocks.push(chain.voted())
    expect(statuses(blocks)).toEqual(['invalid'])
    expect(blocks.flatMap(({ changes }) => changes.nullifiers)).toEqual([])
    expect(chain.parent.state.lastSequence(operatorSequenceHash('alpha'))).toBe(0n)
    expect(skipped(chain, honest)).toBe(null)
    expect(statuses(chain.decided(honest))).toEqual(['valid'])
  })

  it('keeps nothing for its work where nobody asks for an attestation', async () => {
    const chain = network('registered')
    chain.voted([await request(chain, { nonce: 1n, sequence: 5n, workNonce: 11n })])
    const [open] = chain.parent.state.voting.batches[0]?.requests ?? []
    expect([open?.nullifiers.length, open?.sequence]).toEqual([1, null])
    expect(skipped(chain, await request(chain, { nonce: 2n, sequence: 5n, workNonce: 11n }))).toBe(null)
  })
})
