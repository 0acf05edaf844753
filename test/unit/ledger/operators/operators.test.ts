/** Registering, updating and retiring an operator: what each does, every refusal, and that no stake is lost. */
import { describe, expect, it } from 'vitest'
import { decodeOperator, encodeOperator } from '../../../../src/codec/operator.ts'
import { decodeTransaction, encodeTransaction } from '../../../../src/codec/transaction.ts'
import type { OperatorRecord } from '../../../../src/types/operator.ts'
import type { Hex32 } from '../../../../src/types/primitives.ts'
import { totalSupply } from '../../../../src/types/staking.ts'
import {
  falconOperatorKey,
  mlDsaOperatorKey,
  OperatorChain,
  operatorRecord,
} from '../../../support/operator-chain.ts'
import { BALANCE, idOf, keyOf, STAKE } from '../../../support/staking-chain.ts'

const SUPPLY = 4n * STAKE + 8n * BALANCE
const key = mlDsaOperatorKey(8)
const other = mlDsaOperatorKey(9)
const SPACE = { bytes: 1_048_576n, leafSize: 1_024, root: 'ab'.repeat(32) as Hex32 }

/** Account 4 has operator alpha. */
function registered(): OperatorChain {
  const chain = new OperatorChain()
  chain.next([chain.claim(4, 'register', key, { aliases: ['alpha-2'], space: SPACE })])
  return chain
}

describe('an operator', () => {
  it.each([
    ['ml-dsa-65', key],
    ['falcon-1024', falconOperatorKey()],
  ])('registers with a %s key, and its bond leaves the balance', (keyScheme, own) => {
    const chain = new OperatorChain()
    chain.next([chain.claim(4, 'register', own, { space: SPACE, aliases: ['a', 'b'] })])
    expect(chain.operator(4)).toEqual({
      ...operatorRecord(own, { space: SPACE, aliases: ['a', 'b'] }),
      keyScheme,
      account: idOf(4),
      registeredAt: 1,
      retirement: null,
    })
    expect(chain.account(4)).toMatchObject({ balance: BALANCE - 2_000n, bonded: 0n, sequence: 1 })
    expect(totalSupply(chain.staking)).toBe(SUPPLY)
  })

  it('is updated: everything but its id, and the bond follows both ways', () => {
    const chain = registered()
    chain.next([chain.claim(4, 'update', other, { bondedStake: 5_000n, aliases: [] })])
    expect(chain.operator(4)).toMatchObject({
      bondedStake: 5_000n,
      aliases: [],
      registeredAt: 1,
      space: null,
    })
    expect(chain.operator(4).publicKey).toEqual(keyOf(9).publicKey.raw)
    expect(chain.account(4).balance).toBe(BALANCE - 5_000n)
    chain.next([chain.claim(4, 'update', other, { bondedStake: 1_000n })])
    expect(chain.account(4)).toMatchObject({
      balance: BALANCE - 5_000n,
      unbonding: [{ amount: 4_000n, matureHeight: 12, matureTime: null }],
    })
    expect(totalSupply(chain.staking)).toBe(SUPPLY)
  })

  it('that retires gets its bond back after the delay, and its names are free then', () => {
    const chain = registered()
    chain.next([chain.operation(4, { kind: 'retire' })])
    expect(chain.operator(4)).toMatchObject({
      bondedStake: 0n,
      authorityLevel: 0n,
      retirement: { height: 2, reservedUntil: 12 },
    })
    expect(chain.account(4).unbonding).toMatchObject([{ amount: 2_000n }])
    expect(chain.refusalOf(chain.claim(5, 'register', other))).toBe('operator-name-taken')
    chain.until(11)
    expect(chain.account(4).balance).toBe(BALANCE - 2_000n)
    expect(chain.staking.operators.size).toBe(1)
    chain.until(16)
    expect(chain.account(4)).toMatchObject({ balance: BALANCE, unbonding: [] })
    expect(chain.staking.operators.size).toBe(0)
    chain.next([chain.claim(5, 'register', other)])
    expect(chain.operator(5).operatorId).toBe('alpha')
    expect(totalSupply(chain.staking)).toBe(SUPPLY)
  })

  it('that retired registers again under its old names', () => {
    const chain = registered()
    chain.next([chain.operation(4, { kind: 'retire' })])
    chain.next([chain.claim(4, 'register', key)])
    expect(chain.operator(4)).toMatchObject({ registeredAt: 3, retirement: null, bondedStake: 2_000n })
  })

  it('is a leaf of the state: another record is another root', () => {
    const roots = [{}, { authorityLevel: 10n }, { aliases: ['z'] }, { space: SPACE }].map((fields) => {
      const chain = new OperatorChain()
      return chain.next([chain.claim(4, 'register', key, fields)]).stateRoot
    })
    expect(new Set(roots).size).toBe(4)
  })

  it('has one encoding, and so has its transaction', () => {
    const chain = registered()
    const bytes = encodeOperator(chain.operator(4))
    expect(decodeOperator(bytes)).toEqual({ ok: true, value: chain.operator(4) })
    const hashed = chain.claim(5, 'register', falconOperatorKey(), { operatorId: 'beta', space: SPACE })
    const read = decodeTransaction(hashed.bytes)
    if (!read.ok) throw new Error(read.detail)
    expect(encodeTransaction(read.value.transaction)).toEqual(hashed.bytes)
    expect(read.value).toMatchObject({ hash: hashed.hash, requestKey: hashed.requestKey })
  })
})

/** What is wrong with a registration by account 5, beside alpha of account 4. */
const WRONG: readonly (readonly [code: string, what: string, fields: Partial<OperatorRecord>])[] = [
  ['operator-name', 'an empty id', { operatorId: '' }],
  ['operator-name', 'a slash', { operatorId: 'a/b' }],
  ['operator-name', 'a character that is not ASCII', { operatorId: 'аlpha' }],
  ['operator-name', 'a name that is too long', { operatorId: 'x'.repeat(129) }],
  ['operator-name', 'a bad alias', { operatorId: 'beta', aliases: ['-x'] }],
  ['operator-name', "a name of TrustChain's test data", { operatorId: 'test-node' }],
  ['operator-name', 'such an alias', { operatorId: 'beta', aliases: ['localhost_node'] }],
  ['operator-aliases', 'aliases out of order', { operatorId: 'beta', aliases: ['z', 'y'] }],
  ['operator-aliases', 'an alias twice', { operatorId: 'beta', aliases: ['y', 'y'] }],
  ['operator-aliases', 'its id as an alias', { operatorId: 'beta', aliases: ['beta'] }],
  ['operator-name-taken', 'the id of another', { operatorId: 'alpha' }],
  ['operator-name-taken', 'the alias of another', { operatorId: 'alpha-2' }],
  ['operator-name-taken', 'the id of another as an alias', { operatorId: 'beta', aliases: ['alpha'] }],
  ['operator-key', 'a key of another length', { operatorId: 'beta', publicKey: new Uint8Array(1_793) }],
  ['operator-key-taken', 'the key of another', { operatorId: 'beta', publicKey: key.publicKey }],
  ['operator-authority', 'more authority than the bond gives', { operatorId: 'beta', bondedStake: 999n }],
  ['operator-space', 'no bytes', { operatorId: 'beta', space: { ...SPACE, bytes: 0n } }],
  ['operator-space', 'half a leaf', { operatorId: 'beta', space: { ...SPACE, bytes: 1_536n } }],
  ['operator-space', 'leaves of another size', { operatorId: 'beta', space: { ...SPACE, leafSize: 1_000 } }],
  ['operator-space', 'more than there can be', { operatorId: 'beta', space: { ...SPACE, bytes: 2n ** 49n } }],
  ['operator-space-taken', 'the space of another', { operatorId: 'beta', space: SPACE }],
  ['staking-balance', 'more bond than balance', { operatorId: 'beta', bondedStake: BALANCE + 1n }],
]

describe('a registration is refused for', () => {
  const chain = registered()
  it.each(WRONG)('%s: %s', (code, _what, fields) => {
    expect(chain.refusalOf(chain.claim(5, 'register', other, fields))).toBe(code)
  })

  it('a second operator of one account', () => {
    expect(chain.refusalOf(chain.claim(4, 'register', other, { operatorId: 'beta' }))).toBe(
      'operator-registered',
    )
  })

  it.each(['update', 'retire'] as const)('%s of none', (kind) => {
    const transaction =
      kind === 'update' ? chain.claim(5, kind, other, { operatorId: 'beta' }) : chain.operation(5, { kind })
    expect(chain.refusalOf(transaction)).toBe('operator-not-registered')
  })

  it('another id in an update', () => {
    expect(chain.refusalOf(chain.claim(4, 'update', key, { operatorId: 'beta' }))).toBe('operator-id-changed')
  })

  it('a signature of another account', () => {
    expect(chain.refusalOf(chain.operation(4, { kind: 'retire' }, { signer: 5 }))).toBe('operator-signature')
  })

  it('a proof of possession by another key, or for another account', () => {
    const record = operatorRecord(other, { operatorId: 'beta' })
    const stolen = {
      kind: 'register',
      record,
      possession: key.sign(new Uint8Array(1), 'operator-key'),
    } as const
    expect(chain.refusalOf(chain.operation(5, stolen))).toBe('operator-possession')
    const { operation } = chain.claim(6, 'register', other, { operatorId: 'beta' }).transaction
    expect(chain.refusalOf(chain.operation(5, operation))).toBe('operator-possession')
  })

  it('its place: used up, ahead, no account', () => {
    const retire = { kind: 'retire' } as const
    expect(chain.refusalOf(chain.operation(4, retire, { sequence: 1 }))).toBe('staking-sequence')
    expect(chain.refusalOf(chain.operation(4, retire, { sequence: 9 }))).toBe('staking-sequence-ahead')
    expect(chain.refusalOf(chain.operation(10, retire, { sequence: 1 }))).toBe('staking-unknown-account')
  })

  it('a network without epochs, when there is stake to give back one day', () => {
    const endless = new OperatorChain({}, { epochBlocks: 0 })
    expect(endless.refusalOf(endless.claim(4, 'register', key))).toBe('staking-epochs')
    expect(
      endless.refusalOf(endless.claim(4, 'register', key, { bondedStake: 0n, authorityLevel: 0n })),
    ).toBeNull()
  })

  it('an account that was punished', () => {
    const punished = new OperatorChain()
    punished.until(2)
    punished.next([punished.offence(1, 'prepare', 0)])
    expect(punished.refusalOf(punished.claim(1, 'register', key))).toBe('staking-tombstoned')
  })
})
