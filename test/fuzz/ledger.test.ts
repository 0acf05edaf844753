/**
 * The state transition on anything that decodes: it never throws, every record it writes can be kept and read
 * back, what one node builds every other one accepts with the same result, and replays never get through.
 */
import fc, { type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBlock } from '../../src/codec/block.ts'
import { REASON_BYTES_MAX } from '../../src/codec/limits.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { utf8ToBytes } from '../../src/codec/utf8.ts'
import { decodeFailures, decodeVerdict, encodeFailures, encodeVerdict } from '../../src/codec/verdict.ts'
import { BranchStates } from '../../src/ledger/branch-state.ts'
import { buildBlock } from '../../src/ledger/build-block.ts'
import type { ChainRules } from '../../src/ledger/chain-rules.ts'
import { checkBlock } from '../../src/ledger/check-block.ts'
import { genesisState } from '../../src/ledger/genesis-state.ts'
import type { Nullifier } from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { Voters } from '../support/ballots.ts'
import {
  asParent,
  certificateRequest,
  EMPTY_STATE,
  EXECUTED_RULES,
  fourProofRequest,
  GENESIS,
  genesisParent,
  PORTS,
  proposed,
  timeProof,
} from '../unit/ledger/fixtures.ts'
import { hashedTransaction } from './arbitraries.ts'

const TALLIED_RULES = genesisState(GENESIS, PORTS).rules

/** Requests that would be Valid but for each other: few ids, nonces and nodes, so that they collide. */
const colliding: Arbitrary<HashedTransaction> = fc
  .record({
    id: fc.nat(3),
    number: fc.bigInt({ min: 1n, max: 3n }),
    node: fc.constantFrom('a', 'b'),
    isSet: fc.boolean(),
  })
  .map(({ id, number, node, isSet }) =>
    isSet
      ? hashTransaction({
          kind: 'validate-proofs',
          request: fourProofRequest({
            time: { sequenceNumber: number },
            top: { nodeId: node, assetId: `${id}` },
          }),
        })
      : hashTransaction({
          kind: 'validate-certificate',
          request: certificateRequest({
            top: { requestId: `request-${id}` },
            time: timeProof({ nonce: number }),
            certificate: { nodeId: node },
          }),
        }),
  )

const chainOf = (transactions: Arbitrary<HashedTransaction>) =>
  fc.array(fc.array(transactions, { maxLength: 6 }), { minLength: 1, maxLength: 4 })

/** Refusals of requests for what another request, which waits for its verdict, would use. */
const RESERVED = ['nullifier-reserved', 'sequence-reserved']

/** Builds and checks a chain, with the ballots of its voters; returns what the chain says in the end. */
function grow(blocks: readonly (readonly HashedTransaction[])[], rules: ChainRules) {
  const voters = new Voters(rules.genesisHash)
  let { parent: tip } = genesisParent()
  const branches = new BranchStates(tip.hash, EMPTY_STATE)
  const nullifiers: Nullifier[] = []
  const requestKeys: string[] = []
  const reserved: string[] = []
  for (const requests of blocks) {
    const ballots = rules.verdicts === 'tallied' ? voters.next(tip) : null
    const candidates = ballots === null ? requests : [ballots, ...requests]
    const { executed, skipped } = buildBlock(proposed(tip), candidates, tip, rules)
    voters.judged(executed.changes.judgements)
    if (ballots !== null) expect(executed.block.transactions[0]).toBe(ballots)
    for (const { transaction, code } of skipped) {
      if (RESERVED.includes(code)) reserved.push(transaction.requestKey)
    }
    expect(executed.block.transactions.length + skipped.length).toBe(candidates.length)
    const decoded = decodeBlock(executed.block.bytes)
    if (!decoded.ok) throw new Error(decoded.detail)
    expect(checkBlock(decoded.value, tip, rules)).toEqual({ ok: true, value: executed })
    for (const record of executed.changes.verdicts) {
      expect(decodeVerdict(encodeVerdict(record))).toEqual({ ok: true, value: record })
      requestKeys.push(record.requestKey)
    }
    for (const { failures } of executed.changes.judgements) {
      expect(decodeFailures(encodeFailures(failures))).toEqual({ ok: true, value: failures })
      for (const { reason } of failures) {
        expect(utf8ToBytes(reason).length).toBeLessThanOrEqual(REASON_BYTES_MAX)
      }
    }
    nullifiers.push(...executed.changes.nullifiers)
    branches.add(executed)
    const state = branches.at(executed.block.hash)
    if (state === null) throw new Error('no state')
    tip = asParent(executed, state)
  }
  return { nullifiers, requestKeys, reserved, tip }
}

/** Long enough after the last request for its verdict. */
const CALM: readonly (readonly HashedTransaction[])[] = [[], [], []]

describe.each([
  ['come with their requests', EXECUTED_RULES],
  ['are tallied', TALLIED_RULES],
])('the state transition where verdicts %s', (_, rules) => {
  it('takes whatever decodes', () => {
    fc.assert(
      fc.property(chainOf(hashedTransaction), (blocks) => {
        const { requestKeys, tip } = grow([...blocks, ...CALM], rules)
        expect(tip.state.voting.batches).toEqual([])
        expect(tip.state.accumulators.verdicts.size).toBe(requestKeys.length)
      }),
      { numRuns: 30 },
    )
  })

  it('lets every nullifier be spent once and every request be judged once', () => {
    let valid = 0
    fc.assert(
      fc.property(chainOf(colliding), (blocks) => {
        const { nullifiers, requestKeys, reserved, tip } = grow([...blocks, ...CALM], rules)
        expect(new Set(nullifiers).size).toBe(nullifiers.length)
        expect(new Set(requestKeys).size).toBe(requestKeys.length)
        expect(tip.state.accumulators.nullifiers.size).toBe(nullifiers.length)
        expect(new Set([...requestKeys, ...reserved])).toEqual(
          new Set(blocks.flat().map(({ requestKey }) => requestKey)),
        )
        if (rules.verdicts === 'executed') expect(reserved).toEqual([])
        valid += nullifiers.length
      }),
      { numRuns: 60 },
    )
    expect(valid).toBeGreaterThan(60)
  })
})
