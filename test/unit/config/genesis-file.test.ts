/** genesis.json: what goes out comes back with the same hash, and nothing that is not understood comes in. */

import { describe, expect, it } from 'vitest'
import { genesisHash, validatorId } from '../../../src/codec/genesis.ts'
import { formatGenesis, parseGenesis } from '../../../src/config/genesis-file.ts'
import { uniformAssurance } from '../../../src/ledger/validation-policy.ts'
import type { Genesis } from '../../../src/types/genesis.ts'
import type { MiningParameters } from '../../../src/types/pow.ts'
import { type AccountId, asUnixMs } from '../../../src/types/primitives.ts'

function validator(fill: number, stake: bigint): Genesis['validators'][number] {
  const publicKey = new Uint8Array(1_952).fill(fill)
  return { id: validatorId(publicKey), publicKey, stake }
}

const GENESIS: Genesis = {
  network: 'a-network',
  time: asUnixMs(1_760_000_000_000),
  parameters: {
    heartbeatMs: 0,
    viewTimeoutMinMs: 500,
    viewTimeoutMaxMs: 8_000,
    unreachableLeaderTimeoutMs: 100,
    clockSkewMaxMs: 5_000,
    blockBytesMax: 1_048_576,
    blockTransactionsMax: 1_024,
    certificateIntervalMs: 0,
    epochBlocks: 0,
    evidenceWindowBlocks: 10,
    evidenceWindowMs: 10_000,
    unbondingBlocks: 20,
    unbondingMs: 20_000,
    minimumValidatorStake: 1n,
  },
  policy: {
    minimumStake: 100n,
    maxTimeOffsetMs: 300_000,
    minimumStorage: 0n,
    maximumStorage: 2n ** 64n - 1n,
    minimumCompute: 10n,
    maximumCompute: 9_007_199_254_740_993n,
  },
  validators: [validator(1, 1n), validator(2, 2n ** 63n + 1n)],
  accounts: [
    { id: '1'.repeat(64) as AccountId, balance: 0n },
    { id: '2'.repeat(64) as AccountId, balance: 2n ** 62n + 1n },
  ],
}

const MINING: MiningParameters = {
  targetIntervalMs: 10_000,
  initialBits: 0x1f00ffff,
  limitBits: 0x200fffff,
  retargetWindow: 60,
  maturityBlocks: 120,
}

type Json = Record<string, unknown>

/** The file with one part of it changed; `path` leads to the object that the fields are put into. */
function changed(path: string, fields: Json): string {
  const json = JSON.parse(formatGenesis(GENESIS)) as Json
  let at = json
  for (const key of path.split('.').filter(Boolean)) at = at[key] as Json
  Object.assign(at, fields)
  return JSON.stringify(json)
}

const key = (fill: string): Json => ({ publicKey: fill.repeat(1_952), stake: '1' })

describe('genesis.json', () => {
  it('comes back as it went out, to the last digit', () => {
    const parsed = parseGenesis(formatGenesis(GENESIS), 'genesis.json')
    expect(parsed).toEqual(GENESIS)
    expect(genesisHash(parsed)).toBe(genesisHash(GENESIS))
  })

  it.each<Genesis['consensus'] & object>([
    { engine: 'pow', mining: MINING },
    { engine: 'bft', fallback: { afterMs: 30_000, mining: MINING } },
  ])('keeps the choice of the engine $engine, which makes another network', (consensus) => {
    const chosen = { ...GENESIS, consensus }
    expect(parseGenesis(formatGenesis(chosen))).toEqual(chosen)
    const hashes = [
      GENESIS,
      chosen,
      { ...chosen, consensus: { engine: 'pow', mining: { ...MINING, maturityBlocks: 7 } } },
    ]
    expect(new Set(hashes.map((genesis) => genesisHash(genesis as Genesis))).size).toBe(3)
  })

  it('keeps what is asked of requests, which makes another network; without it nothing changed', () => {
    const assurance = {
      ...uniformAssurance('registered'),
      operations: [
        { operation: 'a', level: 'declared' as const },
        { operation: 'b', level: 'attested' as const },
      ],
    }
    const asking = { ...GENESIS, policy: { ...GENESIS.policy, assurance } }
    expect(parseGenesis(formatGenesis(asking))).toEqual(asking)
    const consensus: Genesis['consensus'] = { engine: 'pow', mining: MINING }
    const all = [GENESIS, asking, { ...GENESIS, consensus }, { ...asking, consensus }]
    expect(new Set(all.map(genesisHash)).size).toBe(4)
    // The identity of this document from before there were levels.
    expect(genesisHash(GENESIS)).toBe('dd3161c5214995e1ff7a2ff557ce41c9688e4f08da8edc0e5df8753b268d79d4')
  })

  it.each<[what: string, change: Json, message: RegExp]>([
    ['a level that is none', { otherOperations: 'proven' }, /otherOperations/],
    ['a type of certificate less', { certificates: { TLS: 'declared' } }, /assurance\.certificates/],
    ['anchors of any age', { anchorAgeBlocksMax: 257 }, /anchorAgeBlocksMax/],
    ['anchors of no age', { anchorAgeBlocksMax: 0 }, /anchorAgeBlocksMax/],
    ['work that nobody can do', { minimumWorkBits: 65 }, /minimumWorkBits/],
    [
      'operations out of order',
      { operations: ['b', 'a'].map((operation) => ({ operation, level: 'declared' })) },
      /ascending order/,
    ],
    [
      'authority that costs less',
      { authority: ['5', '4'].map((bondedStake, i) => ({ level: `${i + 1}`, bondedStake })) },
      /steps of authority ascend/,
    ],
    ['an unknown name', { openings: 1 }, /openings/],
  ])('refuses a policy with %s (65)', (_what, change, message) => {
    const asking = { ...GENESIS, policy: { ...GENESIS.policy, assurance: uniformAssurance('attested') } }
    const file = JSON.parse(formatGenesis(asking)) as Json
    Object.assign((file['policy'] as Json)['assurance'] as Json, change)
    expect(() => parseGenesis(JSON.stringify(file))).toThrow(
      expect.objectContaining({ code: 'E_GENESIS', exitCode: 65, message: expect.stringMatching(message) }),
    )
  })

  it.each<[what: string, mining: Json, message: RegExp]>([
    ['negative bits', { initialBits: '0x1d80ffff' }, /negative/],
    ['overflowing bits', { initialBits: '0xff123456' }, /above 2\^256/],
    ['bits of another form', { initialBits: '0x01123456' }, /must be written 0x01120000/],
    ['bits as a number', { initialBits: 486_604_799 }, /initialBits/],
    ['a start easier than the limit', { initialBits: '0x207fffff' }, /easier than limitBits/],
    ['a limit that is no work', { limitBits: '0x2100ffff' }, /limitBits is easier/],
    ['a short window', { retargetWindow: 1 }, /retargetWindow/],
    ['no maturity', { maturityBlocks: 0 }, /maturityBlocks/],
    ['no interval', { targetIntervalMs: 0 }, /targetIntervalMs/],
    ['an unknown name', { reward: 50 }, /reward/],
  ])('refuses mining rules with %s (65)', (_what, mining, message) => {
    const file = JSON.parse(
      formatGenesis({ ...GENESIS, consensus: { engine: 'pow', mining: MINING } }),
    ) as Json
    Object.assign((file['consensus'] as Json)['mining'] as Json, mining)
    expect(() => parseGenesis(JSON.stringify(file))).toThrow(
      expect.objectContaining({ code: 'E_GENESIS', exitCode: 65, message: expect.stringMatching(message) }),
    )
  })

  it.each<[what: string, text: string, message: RegExp]>([
    ['no JSON', '{', /JSON/],
    ['nothing in it', '', /is not JSON/],
    ['another document', '[]', /is not a genesis file: expected object, got array$/],
    ['one with nothing in it', '{}', /: network: missing, expected string; time: .*; and \d more$/],
    ['an unknown name', changed('', { chain: 1 }), /chain/],
    ['an unknown parameter', changed('parameters', { speed: 1 }), /speed/],
    ['a missing parameter', changed('parameters', { heartbeatMs: undefined }), /parameters\.heartbeatMs/],
    ['a fraction', changed('parameters', { heartbeatMs: 0.5 }), /parameters\.heartbeatMs/],
    ['more than a day', changed('parameters', { heartbeatMs: 2 ** 32 }), /parameters\.heartbeatMs/],
    ['no view timeout', changed('parameters', { viewTimeoutMinMs: 0 }), /viewTimeoutMinMs/],
    ['bounds the wrong way round', changed('parameters', { viewTimeoutMaxMs: 100 }), /is above/],
    ['an amount as a number', changed('policy', { minimumStake: 100 }), /policy\.minimumStake/],
    ['more than 64 bits', changed('policy', { maximumStorage: String(2n ** 64n) }), /2\^64/],
    ['no stake', changed('validators.0', { stake: '0' }), /validators\[0\]\.stake/],
    ['a short key', changed('validators.0', { publicKey: 'ab' }), /validators\[0\]\.publicKey/],
    ['upper case', changed('validators.0', { publicKey: 'AB'.repeat(1_952) }), /validators\[0\]\.publicKey/],
    ['a validator twice', changed('', { validators: [key('ab'), key('ab')] }), /same key/],
    ['no validator', changed('', { validators: [] }), /validators/],
    ['too many', changed('', { validators: Array(257).fill(key('ab')) }), /validators/],
    ['a genesis of before accounts', changed('', { accounts: undefined }), /accounts/],
    ['one of before epochs', changed('parameters', { epochBlocks: undefined }), /parameters\.epochBlocks/],
    [
      'stake that is free before its evidence',
      changed('parameters', { unbondingBlocks: 10 }),
      /unbondingBlocks must be above/,
    ],
    ['the same in time', changed('parameters', { unbondingMs: 10_000 }), /unbondingMs must be above/],
    [
      'validators of no stake',
      changed('parameters', { minimumValidatorStake: '0' }),
      /minimumValidatorStake/,
    ],
    [
      'a validator below the minimum',
      changed('parameters', { minimumValidatorStake: '2' }),
      /stake of validator 0, 1, is below/,
    ],
    ['an account that is no hash', changed('accounts.0', { id: 'ab' }), /accounts\[0\]\.id/],
    ['accounts out of order', changed('accounts.0', { id: '3'.repeat(64) }), /ascending order/],
    ['an account twice', changed('accounts.0', { id: '2'.repeat(64) }), /ascending order/],
    ['more than can be counted', changed('accounts.0', { balance: `${2n ** 63n}` }), /add up to/],
    ['a name with a slash', changed('', { network: '../x' }), /network/],
    ['a time that is none', changed('', { time: 'yesterday' }), /time/],
  ])('refuses %s (65)', (_what, text, message) => {
    expect(() => parseGenesis(text, 'genesis.json')).toThrow(
      expect.objectContaining({ code: 'E_GENESIS', exitCode: 65, message: expect.stringMatching(message) }),
    )
  })
})
