/** What the public API shows, from a small chain: no decision is made here, so the figures must be those given. */
import { describe, expect, it } from 'vitest'
import { ApiViews, nodeNameOf } from '../../../src/composition/api-views.ts'
import { StakingViews } from '../../../src/composition/staking-views.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import type { ChainStore } from '../../../src/storage/chain-store.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import {
  asEpoch,
  asValidatorIndex,
  asView,
  type GenesisHash,
  type ValidatorId,
} from '../../../src/types/primitives.ts'
import { FinalChain } from '../../support/final-chain.ts'
import { validatorSet } from '../consensus/harness.ts'
import { certificateTransaction, GENESIS, numberedTransaction } from '../ledger/fixtures.ts'

const builder = new FinalChain()
const bad = certificateTransaction({
  top: { requestId: 'bad' },
  stake: { stakeAmount: 1n },
})
const finalized = [builder.next([numberedTransaction(1), bad]), builder.next()]
const [one, tip] = finalized as [(typeof finalized)[0], (typeof finalized)[0]]
const unfinal = builder.next()
const electorate = new Electorate(validatorSet([4n, 3n, 2n, 1n]))
const ids = electorate.set.validators.map(({ id }) => id)

/** As much of the chain store as is looked at. */
const chain = {
  tip: {
    ...tip,
    height: 2,
    staking: { ...tip.changes.staking, accounts: new Map(), validators: electorate.set.validators },
  },
  blockAt: (height: number) => finalized[height - 1]?.block ?? null,
  heightOf: (hash: string) => finalized.find(({ block }) => block.hash === hash)?.block.header.height ?? null,
  stateRootAt: (height: number) => finalized[height - 1]?.stateRoot ?? null,
  verdictsAt: (height: number) =>
    finalized[height - 1]?.changes.verdicts.map((record, i) => ({
      record,
      failures: finalized[height - 1]?.changes.judgements[i]?.failures ?? null,
    })) ?? null,
  commitCertificates: { latest: { height: 1 } },
} as unknown as ChainStore

function views(self: number | null = 1, target = 0): ApiViews {
  return new ApiViews({
    version: '1.2.3',
    network: 'test',
    genesisHash: 'ab'.repeat(32) as GenesisHash,
    nodeName: 'a-node',
    host: { peerId: 'peer', addresses: () => ['/ip4/127.0.0.1/tcp/1/p2p/peer'] },
    nodeId: ids[1] as ValidatorId,
    self: () => (self === null ? null : asValidatorIndex(self)),
    electorate: () => electorate,
    chain,
    trustHistory: { of: () => [] },
    shielded: {} as never,
    rules: GENESIS,
    staking: new StakingViews({
      chain,
      isWaiting: () => false,
      submit: () => ({ ok: true, value: 'added' }),
    }),
    look: () => ({
      epoch: asEpoch(1),
      view: asView(9),
      leader: asValidatorIndex(1),
      highQcView: asView(8),
      final: tip.block,
      certifiedHeight: 1,
      prepareVoters: [],
      preCommitVoters: [],
      timeoutVoters: [],
      unreachable: [],
    }),
    unfinalBlock: (hash) => (hash === unfinal.block.hash ? unfinal.block.bytes : null),
    peers: () => [],
    reachable: () => new Set([ids[0], ids[2]] as ValidatorId[]),
    readiness: () => [
      { name: 'peers', ok: true, reason: null },
      { name: 'quorum', ok: false, reason: 'two are missing' },
    ],
    syncTarget: () => target,
    mempool: () => ({ transactions: 3, bytes: 300 }),
    uptimeSeconds: () => 12,
    unixMs: () => 0,
  })
}

describe('the status', () => {
  it('says what a person asks first', () => {
    expect(views().status()).toMatchObject({
      node: {
        name: 'a-node',
        role: 'validator',
        validatorIndex: 1,
        validatorId: ids[1],
        seat: 1,
        uptimeSeconds: 12,
      },
      ready: false,
      notReadyBecause: ['quorum: two are missing'],
      view: 9,
      leader: { validatorIndex: 1, isThisNode: true },
      final: { height: 2, hash: tip.block.hash, stateRoot: tip.stateRoot, voters: [0, 1, 2] },
      certifiedHeight: 1,
      targetHeight: null,
      validators: 4,
      validatorsConnected: 2,
      mempool: { transactions: 3, bytes: 300 },
    })
  })

  it('of a follower names no validator', () => {
    expect(views(null, 50).status()).toMatchObject({
      node: { role: 'follower', validatorIndex: null, validatorId: null, seat: 1 },
      leader: { isThisNode: false },
      targetHeight: 50,
    })
    expect(nodeNameOf('cd'.repeat(32) as ValidatorId, null)).toBe('node-cdcdcdcdcdcd')
    expect(nodeNameOf('cd'.repeat(32) as ValidatorId, asValidatorIndex(3))).toBe('validator-3-cdcdcdcdcdcd')
  })

  it('of the validators counts this one as connected', () => {
    expect(
      views()
        .validators()
        .map(({ stake, isThisNode, isConnected }) => [stake, isThisNode, isConnected]),
    ).toEqual([
      [4n, false, true],
      [3n, true, true],
      [2n, false, true],
      [1n, false, false],
    ])
  })
})

describe('a block', () => {
  const of = (block: HashedBlock) => views().block({ kind: 'hash', hash: block.hash })

  it('is found by height, by hash, and as the last final one', () => {
    expect(views().block({ kind: 'height', height: 1 })).toEqual(of(one.block))
    expect(views().block({ kind: 'final' })).toEqual(of(tip.block))
    expect(of(tip.block)?.voters).toEqual([0, 1, 2])
    expect(of(one.block)?.voters).toEqual([])
    expect(views().block({ kind: 'height', height: 3 })).toBe(null)
    expect(views().block({ kind: 'hash', hash: 'ee'.repeat(32) })).toBe(null)
  })

  it('shows the verdict of each of its transactions with the reasons', () => {
    expect(of(one.block)).toMatchObject({ isFinal: true, stateRoot: one.stateRoot, height: 1 })
    expect(of(one.block)?.transactions).toMatchObject([
      { verdict: 'valid', reasons: [] },
      { verdict: 'invalid', reasons: [expect.stringMatching(/^stake: /)] },
    ])
  })

  it('that is not final shows no state and no verdicts', () => {
    expect(of(unfinal.block)).toMatchObject({ isFinal: false, stateRoot: null, voters: [], transactions: [] })
  })
})
