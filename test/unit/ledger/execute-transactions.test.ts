/** Replay and idempotence: what a request leaves behind, and what the next one meets, in a block and across blocks. */
import { describe, expect, it } from 'vitest'
import { sha256Plain } from '../../../src/codec/hashes.ts'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { utf8ToBytes } from '../../../src/codec/utf8.ts'
import { BranchStates } from '../../../src/ledger/branch-state.ts'
import { executeTransactions } from '../../../src/ledger/execute-transactions.ts'
import { requestIdentity, requestIdHash, timeNullifier } from '../../../src/ledger/request-identity.ts'
import type { StateReader } from '../../../src/ledger/state-reader.ts'
import { asEpoch, asHeight } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import {
  asParent,
  BLOCK_TIME,
  built,
  certificateTransaction,
  EMPTY_STATE,
  EXECUTED_RULES,
  fourProofTransaction,
  genesisParent,
  numberedTransaction,
  timeProof,
} from './fixtures.ts'

/** Verdicts that come at once: what one leaves behind is met by the next request, in its block and after it. */
const rules = EXECUTED_RULES
const { parent } = genesisParent()
const context = {
  epoch: asEpoch(0),
  height: asHeight(1),
  blockTime: BLOCK_TIME,
  parentHash: parent.hash,
  proposer: null,
  rules,
}

function execute(transactions: readonly HashedTransaction[], state: StateReader = EMPTY_STATE) {
  const execution = executeTransactions(context, transactions, state)
  if (!execution.ok) throw new Error(execution.detail)
  return execution.value
}

/** Failures of the second transaction, once in the block of the first and once in the block after it. */
function secondAfterFirst(first: HashedTransaction, second: HashedTransaction) {
  const together = execute([first, second]).changes.judgements[1]?.failures
  const executed = built([first], parent, rules)
  const branches = new BranchStates(parent.hash, EMPTY_STATE)
  branches.add(executed)
  const state = branches.at(executed.block.hash)
  if (state === null) throw new Error('no state')
  const next = built([second], asParent(executed, state), rules)
  const apart = next.changes.judgements[0]?.failures
  expect(apart).toEqual(together)
  return together
}

describe('a nonce', () => {
  const withNonce = (requestId: string, nonce: bigint, nodeId = 'test_node_001') =>
    certificateTransaction({ top: { requestId }, time: timeProof({ nonce }), certificate: { nodeId } })

  it('that a valid request spent makes the next one Invalid, not the block illegal', () => {
    expect(secondAfterFirst(withNonce('a', 7n), withNonce('b', 7n))).toEqual([
      {
        subject: 'time',
        reason: 'nonce 7 of node "test_node_001" is replayed: a valid request has spent it',
      },
    ])
  })

  it('is its node’s own', () => {
    expect(secondAfterFirst(withNonce('a', 7n), withNonce('b', 7n, 'another'))).toEqual([])
    expect(secondAfterFirst(withNonce('a', 7n), withNonce('b', 8n))).toEqual([])
  })

  it('is not burnt by an Invalid request', () => {
    const invalid = certificateTransaction({
      top: { requestId: 'a' },
      time: timeProof({ nonce: 7n }),
      stake: { stakeAmount: 0n },
    })
    expect(secondAfterFirst(invalid, withNonce('b', 7n))).toEqual([])
  })

  it('is spent under the hash of domain, network, node id and nonce, each with its length', () => {
    const nodeId = utf8ToBytes('n')
    const tag = utf8ToBytes('hypermesh/nullifier/time/v1')
    const network = fromHex(rules.genesisHash)
    const preimage = [
      [tag.length, ...tag, 3, 0, 0, 0],
      [32, 0, 0, 0, ...network],
      [1, 0, 0, 0, ...nodeId],
      [8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
    ].flat()
    expect(timeNullifier(rules.genesisHash, 'n', 7n)).toBe(toHex(sha256Plain(Uint8Array.from(preimage))))
  })
})

describe('a request id', () => {
  it('belongs to the request that used it first, valid or not', () => {
    const first = certificateTransaction({ top: { requestId: 'same' }, stake: { stakeAmount: 0n } })
    const second = certificateTransaction({ top: { requestId: 'same' }, time: timeProof({ nonce: 9n }) })
    const third = certificateTransaction({ top: { requestId: 'same' }, time: timeProof({ nonce: 10n }) })
    const reused = {
      subject: 'request',
      reason: `request_id reused: "same" belongs to request ${first.requestKey} with another payload`,
    }
    expect(secondAfterFirst(first, second)).toEqual([reused])
    expect(execute([first, second, third]).changes.judgements[2]?.failures).toEqual([reused])
  })

  it('stays with its first user on a branch', () => {
    const first = certificateTransaction({ top: { requestId: 'same' } })
    const second = certificateTransaction({ top: { requestId: 'same' }, time: timeProof({ nonce: 9n }) })
    const branches = new BranchStates(parent.hash, EMPTY_STATE)
    const one = built([first], parent, rules)
    branches.add(one)
    const two = built([second], asParent(one, branches.at(one.block.hash) ?? EMPTY_STATE), rules)
    branches.add(two)
    expect(branches.at(two.block.hash)?.requestKeyOfId(requestIdHash('same'))).toBe(first.requestKey)
    expect(branches.at(two.block.hash)?.verdict(second.requestKey)?.status).toBe('invalid')
  })

  it('of a four-proof set is its request key', () => {
    const set = fourProofTransaction()
    expect(requestIdentity(set, rules.genesisHash).requestIdHash).toBe(requestIdHash(set.requestKey))
  })
})

describe('a sequence number', () => {
  const withSequence = (sequenceNumber: bigint, nodeId = 'n', assetId = 'a') =>
    fourProofTransaction({ time: { sequenceNumber }, top: { nodeId, assetId } })

  it.each([
    [5n, 6n, []],
    [5n, 5n, ['sequence_number 5 of node "n" is replayed: the last one recorded is 5']],
    [5n, 4n, ['sequence_number 4 of node "n" is replayed: the last one recorded is 5']],
    [
      2n ** 64n - 1n,
      1n,
      ['sequence_number 1 of node "n" is replayed: the last one recorded is 18446744073709551615'],
    ],
  ])('only grows: %s, then %s', (first, second, reasons) => {
    const failures = secondAfterFirst(withSequence(first), withSequence(second, 'n', 'b'))
    expect(failures).toEqual(reasons.map((reason) => ({ subject: 'time', reason })))
  })

  it('is its node’s own', () => {
    expect(secondAfterFirst(withSequence(5n), withSequence(5n, 'm'))).toEqual([])
  })

  it('does not advance by an Invalid set', () => {
    const invalid = fourProofTransaction({
      time: { sequenceNumber: 5n },
      top: { nodeId: 'n' },
      stake: { stakeAmount: 0n },
    })
    expect(execute([invalid]).changes.verdicts[0]?.sequence).toBeNull()
    expect(secondAfterFirst(invalid, withSequence(1n))).toEqual([])
  })

  it('that a certificate request spent as its nonce is replayed too', () => {
    const certificate = certificateTransaction({
      time: timeProof({ nonce: 5n }),
      certificate: { nodeId: 'n' },
    })
    expect(secondAfterFirst(certificate, withSequence(5n))).toEqual([
      { subject: 'time', reason: 'sequence_number 5 of node "n" is replayed: a valid request has spent it' },
    ])
  })
})

describe('execution', () => {
  it('gives the same changes and roots for the same input, and other roots for another order', () => {
    const transactions = [numberedTransaction(1), fourProofTransaction(), numberedTransaction(2)]
    expect(execute(transactions)).toEqual(execute(transactions))
    const reversed = execute(transactions.toReversed())
    expect(reversed.stateRoot).not.toBe(execute(transactions).stateRoot)
    expect(reversed.nullifierRoot).not.toBe(execute(transactions).nullifierRoot)
  })

  it('judges against the time of the block', () => {
    const late = executeTransactions(
      { ...context, blockTime: (BLOCK_TIME + 301_000) as typeof BLOCK_TIME },
      [numberedTransaction(1)],
      EMPTY_STATE,
    )
    expect(late.ok && late.value.changes.judgements[0]?.failures.map(({ subject }) => subject)).toEqual([
      'time',
      'request',
    ])
  })

  it('refuses a transaction that spends what the state before the block has spent', () => {
    // A reader that hides a spent nullifier from the judge until the block is finished, as no real one does.
    let lookups = 0
    const state: StateReader = { ...EMPTY_STATE, hasNullifier: () => ++lookups > 1 }
    expect(executeTransactions(context, [numberedTransaction(1)], state)).toMatchObject({
      ok: false,
      code: 'nullifier-spent',
    })
  })
})
