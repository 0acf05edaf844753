/** Who asks under the name of one whom the ledger bars gets no Valid verdict, at any level; nobody else is touched. */
import { describe, expect, it } from 'vitest'
import { validatorId } from '../../../../src/codec/genesis.ts'
import { barredRequester, type Standings } from '../../../../src/ledger/four-proofs/requester.ts'
import { findingsOf } from '../../../../src/ledger/verdicts/findings.ts'
import { newTrust } from '../../../../src/ledger/verdicts/trust.ts'
import { asHeight } from '../../../../src/types/primitives.ts'
import type { TrustStatus } from '../../../../src/types/voting.ts'
import { mlDsaOperatorKey, OperatorChain } from '../../../support/operator-chain.ts'
import { idOf, publicKeyOf } from '../../../support/staking-chain.ts'
import { certificateTransaction, fourProofTransaction } from '../fixtures.ts'

/** Account 4 is operator "alpha", account 0 validates; what is known of both is as the test says. */
function standings(of: 0 | 4, status: TrustStatus | 'tombstoned'): Standings {
  const chain = new OperatorChain()
  chain.next([chain.claim(4, 'register', mlDsaOperatorKey(8), { aliases: ['alpha-eu'] })])
  const { staking, voting } = chain.parent.state
  const account = staking.accounts.get(idOf(of))
  if (account === undefined) throw new Error('no such account')
  if (status === 'tombstoned') {
    const accounts = new Map(staking.accounts).set(account.id, { ...account, tombstonedAt: asHeight(7) })
    return { staking: { ...staking, accounts }, voting }
  }
  const trust = { ...newTrust(account.id, 400_000, status), untilPeriod: 12 }
  return { staking, voting: { ...voting, trust: new Map(voting.trust).set(account.id, trust) } }
}

const certificateBy = (nodeId: string) => certificateTransaction({ certificate: { nodeId } }).transaction
const setBy = (nodeId: string) => fourProofTransaction({ top: { nodeId } }).transaction

describe('a requester', () => {
  it.each<[string, 0 | 4, string]>([
    ["the name of an operator's id", 4, 'alpha'],
    ['an alias of the operator', 4, 'alpha-eu'],
    ['the id of an account', 0, idOf(0)],
  ])(
    'by %s is barred while its account is excluded, and for ever when it was punished',
    (_what, of, name) => {
      for (const transaction of [certificateBy(name), setBy(name)]) {
        expect(barredRequester(transaction, standings(of, 'active'))).toBe(null)
        expect(barredRequester(transaction, standings(of, 'probation'))).toBe(null)
        expect(barredRequester(transaction, standings(of, 'excluded'))).toMatch(
          new RegExp(
            `node_id "${name}" stands for account ${idOf(of)}, which is excluded until period 12 at least$`,
          ),
        )
        expect(barredRequester(transaction, standings(of, 'tombstoned'))).toMatch(
          /which was punished for equivocation at height 7$/,
        )
      }
    },
  )

  it('of another name is not, whoever is', () => {
    for (const name of ['alpha-us', 'test_node_001', idOf(1), 'f'.repeat(64)]) {
      expect(barredRequester(certificateBy(name), standings(0, 'tombstoned'))).toBe(null)
      expect(barredRequester(setBy(name), standings(4, 'excluded'))).toBe(null)
    }
  })

  it('who was punished on a chain is found invalid as that, and nothing else of its request is', () => {
    const chain = new OperatorChain()
    const request = certificateTransaction({ certificate: { nodeId: validatorId(publicKeyOf(0)) } })
    expect(chain.failuresOf(request)).toEqual([])
    chain.next([chain.offence(0)])
    const failures = chain.failuresOf(request)
    expect(failures).toMatchObject([
      { subject: 'requester', reason: expect.stringContaining('was punished for equivocation at height 1') },
    ])
    expect(findingsOf(failures)).toBe(0b10_01_01_01_01_01)
    const [record] = chain.decided(request).flatMap(({ changes }) => changes.verdicts)
    expect(record).toMatchObject({ status: 'invalid', findings: 0b10_01_01_01_01_01 })
  })
})
