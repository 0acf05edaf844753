/** What an operator is told about readiness, and the way of a transaction before it is in a block. */
import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../../../src/codec/messages.ts'
import { signedVotePayload } from '../../../src/codec/signing-payloads.ts'
import { hashTransaction } from '../../../src/codec/transaction.ts'
import {
  type ReadinessSources,
  readinessChecks,
  safeModeReason,
  validationReadiness,
} from '../../../src/composition/readiness.ts'
import { signingHistoryOf } from '../../../src/composition/signing-history.ts'
import { TransactionFlow } from '../../../src/composition/transaction-flow.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { Signer } from '../../../src/crypto/signer.ts'
import { Mempool } from '../../../src/mempool/mempool.ts'
import {
  asEpoch,
  asHeight,
  asMonotonicMs,
  asValidatorIndex,
  asView,
  type GenesisHash,
} from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD } from '../../../src/types/safety.ts'
import {
  blockOn,
  chainOf,
  GENESIS,
  PARAMETERS,
  proposal,
  timeout,
  validatorSet,
  vote,
} from '../consensus/harness.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'
import { electorsWith } from '../ledger/verdicts/fixtures.ts'

const [B1] = chainOf(1) as [ReturnType<typeof blockOn>]

interface Situation {
  readonly self?: number | null
  readonly unreachable?: readonly number[]
  readonly peers?: number
  readonly lastFinalAt?: number | null
  readonly now?: number
  readonly syncTarget?: number
  readonly storageFailure?: string | null
  readonly signingHeldBecause?: string
  readonly stakes?: readonly bigint[]
  readonly heartbeatMs?: number
}

function sourcesOf(situation: Situation = {}): ReadinessSources {
  const { self = 0, unreachable = [], lastFinalAt = 99_000, heartbeatMs = 2_000 } = situation
  return {
    electorate: () => new Electorate(validatorSet(situation.stakes ?? [1n, 1n, 1n, 1n])),
    parameters: { ...PARAMETERS, heartbeatMs },
    self: () => (self === null ? null : asValidatorIndex(self)),
    look: () => ({
      epoch: asEpoch(1),
      view: asView(12),
      leader: asValidatorIndex(0),
      highQcView: asView(11),
      final: { ...B1, header: { ...B1.header, height: asHeight(40) } },
      certifiedHeight: 39,
      prepareVoters: [],
      preCommitVoters: [],
      timeoutVoters: [],
      unreachable: unreachable.map(asValidatorIndex),
    }),
    now: () => asMonotonicMs(situation.now ?? 100_000),
    lastFinalAt: () => (lastFinalAt === null ? null : asMonotonicMs(lastFinalAt)),
    startedAt: () => asMonotonicMs(90_000),
    peers: () => situation.peers ?? 3,
    syncTarget: () => situation.syncTarget ?? 40,
    storageFailure: () => situation.storageFailure ?? null,
    signingHeldBecause: () => situation.signingHeldBecause ?? null,
  }
}

function reasons(situation: Situation = {}): Record<string, string | null> {
  return Object.fromEntries(
    readinessChecks(sourcesOf(situation)).map(({ name, ok, reason }) => [name, ok ? null : reason]),
  )
}

const READY = { storage: null, signing: null, peers: null, quorum: null, sync: null, finality: null }

describe('readiness', () => {
  it.each<[string, Situation]>([
    ['all is well', {}],
    ['a quorum is left', { unreachable: [3] }],
    ['it follows, whoever is there', { self: null, unreachable: [0, 1, 2, 3] }],
    ['it is a network by itself', { stakes: [1n], peers: 0 }],
    ['it is a few blocks behind', { syncTarget: 56 }],
    ['a slow heartbeat is due later', { heartbeatMs: 10_000, lastFinalAt: 75_000 }],
  ])('is given when %s', (_, situation) => {
    expect(reasons(situation)).toEqual(READY)
  })

  it.each<[string, Situation, string]>([
    ['storage', { storageFailure: 'no space left' }, 'no space left'],
    [
      'signing',
      { signingHeldBecause: 'listens 3.0 s more', unreachable: [0, 1, 2, 3] },
      'listens 3.0 s more',
    ],
    [
      'quorum',
      { unreachable: [1, 3] },
      'connected to stake 2 of 4, a quorum is 3; 2 of 4 validators, missing 1, 3',
    ],
    [
      'quorum',
      { unreachable: [0], self: 1, stakes: [7n, 1n, 1n, 1n] },
      'connected to stake 3 of 10, a quorum is 7; 3 of 4 validators, missing 0',
    ],
    ['sync', { syncTarget: 57 }, 'catching up: height 40 of 57, 17 blocks behind'],
    [
      'finality',
      { lastFinalAt: 90_000 },
      'no block final for 10.0 s (expected one every 2000 ms); last is height 40, now in view 12',
    ],
    [
      'finality',
      { lastFinalAt: null },
      'no block has become final in the 10.0 s since the start; in view 12',
    ],
  ])('%s is told with figures', (name, situation, reason) => {
    expect(reasons(situation)).toEqual({ ...READY, [name]: reason })
  })

  it('is denied in all that others tell to who is connected to nobody', () => {
    const cutOff = {
      ...READY,
      peers: 'connected to no peer',
      sync: 'nobody is there to compare its height with',
    }
    expect(reasons({ peers: 0 })).toEqual(cutOff)
    expect(reasons({ peers: 0, self: null })).toEqual({ ...cutOff, quorum: 'hears of no validator' })
  })
})

describe('whether requests are judged', () => {
  // What makes a node no good place to be asked by others does not keep it from judging.
  const fine = sourcesOf({ peers: 0, unreachable: [1, 3], signingHeldBecause: 'listens 3.0 s more' })
  const behind = sourcesOf({ syncTarget: 57 })
  const catchingUp = { ready: false, reason: 'catching up: height 40 of 57, 17 blocks behind' }
  /** Of a set in which validators with stake 4 weigh. */
  const reasonOf = (stake: bigint) =>
    safeModeReason({ voting: { electors: [{ period: 0, stake, members: electorsWith(4) }] } })
  const enough = reasonOf(6n)
  const tooLittle = reasonOf(7n)

  it('depends on what this node sees, and on how much of the stake weighs', () => {
    expect(validationReadiness(fine, enough)).toEqual({ ready: true })
    expect(validationReadiness(behind, enough)).toEqual(catchingUp)
    expect(validationReadiness(behind, tooLittle)).toEqual(catchingUp)
    expect(validationReadiness(sourcesOf({ storageFailure: 'no space left' }), enough)).toEqual({
      ready: false,
      reason: 'no space left',
    })
    expect(validationReadiness(sourcesOf({ lastFinalAt: 90_000 }), enough)).toMatchObject({ ready: false })
    expect(validationReadiness(sourcesOf({ lastFinalAt: 90_000, peers: 0 }), enough)).toMatchObject({
      ready: false,
      reason: expect.stringMatching(/^connected to no peer; no block final for 10.0 s/),
    })
    expect(validationReadiness(fine, tooLittle)).toEqual({
      ready: false,
      reason: expect.stringMatching(/^safe mode: validators with stake 4 of 7 weigh in verdicts/),
    })
  })
})

describe('the flow of transactions', () => {
  function flow(countMax = 10) {
    const log: string[] = []
    const final = new Set<string>()
    const pool = new Mempool(
      { countMax, bytesMax: 1e6, countPerSourceMax: countMax, bytesPerSourceMax: 1e6, timeToLiveMs: 1e6 },
      {
        now: () => asMonotonicMs(0),
        isFinal: (key) => final.has(key),
        refusal: () => null,
        expired: () => {},
      },
    )
    const made = new TransactionFlow({
      pool,
      publish: (batch) => void log.push(`publish ${batch.length}`),
      workArrived: (keys) => void log.push(`work ${keys.length}`),
      rejected: (reason) => void log.push(`rejected ${reason}`),
    })
    return { made, log, final }
  }
  const [one, two] = [numberedTransaction(1), numberedTransaction(2)]

  it('from a client: into the pool, on to the others, and to the replica, once', () => {
    const { made, log } = flow()
    expect(made.submit(one)).toEqual({ ok: true, value: 'added' })
    expect(made.submit(one)).toEqual({ ok: true, value: 'known' })
    expect(log).toEqual(['publish 1', 'work 1'])
  })

  it('from a client, refused: what the pool says, counted', () => {
    const { made, log, final } = flow(1)
    final.add(one.requestKey)
    expect(made.submit(one)).toMatchObject({ ok: false, code: 'already-final' })
    made.submit(two)
    expect(made.submit(numberedTransaction(3))).toMatchObject({ ok: false, code: 'full' })
    expect(log).toEqual(['rejected known', 'publish 1', 'work 1', 'rejected full'])
  })

  it.each([
    ['new ones are accepted and told of together', [one.bytes, two.bytes], 'accept', ['work 2']],
    [
      'one that is no transaction spoils the sender',
      [one.bytes, Uint8Array.of(9)],
      'reject',
      ['rejected malformed', 'work 1'],
    ],
    ['nothing is nothing new', [], 'ignore', []],
  ] as const)('from gossip: %s', (_, batch, verdict, expected) => {
    const { made, log } = flow()
    expect(made.received(batch, 'peer')).toBe(verdict)
    expect(log).toEqual(expected)
  })

  it('from gossip or a client, ballots: refused, for they travel in votes', () => {
    const { made, log } = flow()
    const ballots = hashTransaction({ kind: 'ballots', commits: [], openings: [] })
    expect(made.submit(ballots)).toMatchObject({ ok: false, code: 'ballots-in-pool' })
    expect(made.received([ballots.bytes], 'peer')).toBe('reject')
    expect(log).toEqual(['rejected rules', 'rejected rules'])
  })

  it('from gossip, known: ignored, and not passed on by us', () => {
    const { made, log } = flow()
    made.submit(one)
    expect(made.received([one.bytes], 'peer')).toBe('ignore')
    expect(log).toEqual(['publish 1', 'work 1'])
  })
})

describe('what the signer learns from the record', () => {
  const network = 'ab'.repeat(32) as GenesisHash
  const key = selectMlDsa65().keyPairFromSeed(new Uint8Array(32).fill(7))
  const recovered = {
    ...EMPTY_SAFETY_RECORD,
    prepare: vote('prepare', 0, B1),
    preCommit: vote('pre-commit', 0, B1),
    timeout: timeout(5, 0, 1),
    proposal: { view: asView(1), bytes: encodeMessage(proposal(B1)) },
  }

  it('is enough to refuse a second content, and to give the first signature again (S1)', () => {
    const history = signingHistoryOf(recovered, network)
    expect(Object.keys(history).toSorted()).toEqual(['pre-commit', 'prepare', 'timeout'])
    const signer = new Signer(key, history)
    const slot = { kind: 'prepare', epoch: 1, position: 1 } as const
    expect(signer.sign(slot, signedVotePayload(network, recovered.prepare))).toBe(recovered.prepare.signature)
    const other = vote('prepare', 0, blockOn(GENESIS, 1, { timestamp: B1.header.timestamp + 1 }))
    expect(() => signer.sign(slot, signedVotePayload(network, other))).toThrow('a second prepare')
    const above = { kind: 'pre-commit', epoch: 1, position: 5 } as const
    expect(() => signer.sign(above, new Uint8Array(1))).toThrow('given up')
  })

  it('is nothing for a key that has never signed', () => {
    expect(signingHistoryOf(EMPTY_SAFETY_RECORD, network)).toEqual({})
  })
})
