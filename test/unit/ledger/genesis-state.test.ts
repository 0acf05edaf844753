/** Block 0, the empty state and the state root. */

import { createHash } from 'node:crypto'
import {
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  UintNumberType,
  VectorCompositeType,
} from '@chainsafe/ssz'
import { describe, expect, it } from 'vitest'
import { decodeBlock } from '../../../src/codec/block.ts'
import { genesisHash } from '../../../src/codec/genesis.ts'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { recentBlocksOf } from '../../../src/codec/recent-blocks.ts'
import { appendLeaves, EMPTY_FRONTIER, frontierRoot } from '../../../src/ledger/frontier.ts'
import { EMPTY_ACCUMULATORS, genesisState, ZERO_BLOCK_HASH } from '../../../src/ledger/genesis-state.ts'
import { NO_NOTES } from '../../../src/ledger/shielded/genesis-shielded.ts'
import { stakingRoot, validatorSetRoot } from '../../../src/ledger/staking/staking-root.ts'
import { stateRoot } from '../../../src/ledger/state-root.ts'
import { uniformAssurance } from '../../../src/ledger/validation-policy.ts'
import { batchesRoot, trustRoot } from '../../../src/ledger/verdicts/voting-root.ts'
import { emptySubtree } from '../../../src/shielded/notes/note-tree.ts'
import type { Genesis } from '../../../src/types/genesis.ts'
import type { Operators } from '../../../src/types/operator.ts'
import {
  type AccountId,
  asEpoch,
  asHeight,
  type BlockHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import { built, GENESIS, genesisParent, numberedTransaction, PORTS } from './fixtures.ts'

const state = genesisState(GENESIS, PORTS)
const { staking, voting } = state.changes
const { block, rules } = state

describe('genesis', () => {
  it('is block 0 in view 0 on nothing', () => {
    expect(block.header).toMatchObject({
      genesisHash: genesisHash(GENESIS),
      height: 0,
      view: 0,
      epoch: 0,
      parentHash: ZERO_BLOCK_HASH,
      justify: { view: 0, blockHash: ZERO_BLOCK_HASH },
      timestamp: GENESIS.time,
      parentStateRoot: state.stateRoot,
    })
    expect(decodeBlock(block.bytes)).toEqual({ ok: true, value: block })
  })

  it('is the same for everyone, and another for anything that differs', () => {
    expect(genesisState(structuredClone(GENESIS), PORTS)).toEqual(state)
    const note = { owner: new Uint8Array(32), value: 1n, randomness: new Uint8Array(28) }
    const others: Partial<Genesis>[] = [
      { network: 'other' },
      { time: (GENESIS.time + 1) as Genesis['time'] },
      { policy: { ...GENESIS.policy, minimumStake: 101n } },
      { policy: { ...GENESIS.policy, assurance: uniformAssurance('declared') } },
      { policy: { ...GENESIS.policy, assurance: uniformAssurance('attested') } },
      { parameters: { ...GENESIS.parameters, heartbeatMs: 1 } },
      { validators: GENESIS.validators.slice(1) },
      { shielded: { notes: [], blockReward: 0n, minimumFee: 0n } },
      { shielded: { notes: [], blockReward: 1n, minimumFee: 0n } },
      { shielded: { notes: [note], blockReward: 0n, minimumFee: 0n } },
      { shielded: { notes: [note], blockReward: 0n, minimumFee: 1n } },
      { shielded: { notes: [{ ...note, value: 2n }], blockReward: 0n, minimumFee: 0n } },
    ]
    const hashes = others.map((other) => genesisState({ ...GENESIS, ...other }, PORTS).block.hash)
    expect(new Set([block.hash, ...hashes]).size).toBe(others.length + 1)
  })

  it('has certificates that name it and need no signature', () => {
    const about = { epoch: 0, view: 0, height: 0, blockHash: block.hash, stateRoot: null, signatures: [] }
    expect(state.justify).toEqual({ kind: 'prepare', ...about })
    expect(state.finality).toEqual({ kind: 'pre-commit', ...about })
  })
})

describe('the state root', () => {
  it('is the SSZ root of the twelve roots in their order', () => {
    const root = new ByteVectorType(32)
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']
    const container = new ContainerType(Object.fromEntries(names.map((name) => [name, root])))
    const recent = new ContainerType({
      next: new UintNumberType(8),
      hashes: new VectorCompositeType(root, 256),
    })
    const noBlocks = { next: 0, hashes: Array.from({ length: 256 }, () => new Uint8Array(32)) }
    const empty = fromHex(frontierRoot(EMPTY_FRONTIER))
    const u64 = new UintNumberType(8)
    const shielded = new ContainerType({
      pool: u64,
      issued: u64,
      anchors: new ListCompositeType(root, 256),
      entries: root,
    })
    const noNotes = emptySubtree(32)
    const rest = { pool: 0, issued: 0, anchors: [noNotes], entries: empty }
    const expected = container.hashTreeRoot({
      a: empty,
      b: createHash('sha256').update(noNotes).update(new Uint8Array(32)).digest(),
      c: empty,
      d: fromHex(validatorSetRoot(GENESIS.validators)),
      e: fromHex(rules.fixedRoots.parameters),
      f: fromHex(stakingRoot(staking)),
      g: fromHex(batchesRoot(voting)),
      h: fromHex(trustRoot(voting.trust)),
      i: new ListCompositeType(root, 4_096).hashTreeRoot([]),
      j: recent.hashTreeRoot(noBlocks),
      k: new Uint8Array(32),
      l: shielded.hashTreeRoot(rest),
    })
    expect(state.stateRoot).toBe(toHex(expected))
  })

  it('depends on every part', () => {
    const grown = appendLeaves(EMPTY_FRONTIER, ['11'.repeat(32) as Hex32])
    const account = [...staking.accounts.keys()][0] as AccountId
    const recentBlocks = recentBlocksOf(1, ['11'.repeat(32) as BlockHash])
    const operators: Operators = new Map([
      [
        account,
        {
          operatorId: 'one',
          keyScheme: 'ml-dsa-65',
          publicKey: new Uint8Array(1_952),
          bondedStake: 1n,
          space: null,
          authorityLevel: 1n,
          aliases: [],
          account,
          registeredAt: asHeight(1),
          retirement: null,
        },
      ],
    ])
    const slash = {
      account: [...staking.accounts.keys()][0] as AccountId,
      height: asHeight(1),
      time: GENESIS.time,
      stake: 1n,
      burnt: 1n,
    }
    const [batch] = built([numberedTransaction(1)], genesisParent().parent).changes.voting.batches
    if (batch === undefined) throw new Error('no batch')
    const other = '22'.repeat(32) as Hex32
    const roots = [
      stateRoot(EMPTY_ACCUMULATORS, staking, voting, rules.fixedRoots),
      stateRoot({ ...EMPTY_ACCUMULATORS, nullifiers: grown }, staking, voting, rules.fixedRoots),
      stateRoot(
        { ...EMPTY_ACCUMULATORS, shielded: { ...NO_NOTES, notes: grown } },
        staking,
        voting,
        rules.fixedRoots,
      ),
      ...[{ entries: grown }, { pool: 1n }, { issued: 1n }, { anchors: [] }].map((change) =>
        stateRoot(
          { ...EMPTY_ACCUMULATORS, shielded: { ...NO_NOTES, ...change } },
          staking,
          voting,
          rules.fixedRoots,
        ),
      ),
      stateRoot({ ...EMPTY_ACCUMULATORS, verdicts: grown }, staking, voting, rules.fixedRoots),
      stateRoot(
        EMPTY_ACCUMULATORS,
        { ...staking, validators: staking.validators.slice(1) },
        voting,
        rules.fixedRoots,
      ),
      stateRoot(EMPTY_ACCUMULATORS, { ...staking, accounts: new Map() }, voting, rules.fixedRoots),
      stateRoot(EMPTY_ACCUMULATORS, { ...staking, burnt: 1n }, voting, rules.fixedRoots),
      stateRoot(EMPTY_ACCUMULATORS, { ...staking, epoch: asEpoch(1) }, voting, rules.fixedRoots),
      stateRoot(EMPTY_ACCUMULATORS, { ...staking, operators }, voting, rules.fixedRoots),
      stateRoot({ ...EMPTY_ACCUMULATORS, recentBlocks }, staking, voting, rules.fixedRoots),
      stateRoot(
        EMPTY_ACCUMULATORS,
        { ...staking, epochEnds: [{ epoch: asEpoch(0), time: GENESIS.time }] },
        voting,
        rules.fixedRoots,
      ),
      stateRoot(EMPTY_ACCUMULATORS, { ...staking, slashes: [slash] }, voting, rules.fixedRoots),
      stateRoot(EMPTY_ACCUMULATORS, staking, { ...voting, electors: [] }, rules.fixedRoots),
      stateRoot(EMPTY_ACCUMULATORS, staking, { ...voting, trust: new Map() }, rules.fixedRoots),
      stateRoot(EMPTY_ACCUMULATORS, staking, { ...voting, batches: [batch] }, rules.fixedRoots),
      stateRoot(
        EMPTY_ACCUMULATORS,
        staking,
        { ...voting, batches: [{ ...batch, round: 1 }] },
        rules.fixedRoots,
      ),
      stateRoot(EMPTY_ACCUMULATORS, staking, voting, { ...rules.fixedRoots, parameters: other }),
    ]
    expect(new Set(roots).size).toBe(roots.length)
  })
})
