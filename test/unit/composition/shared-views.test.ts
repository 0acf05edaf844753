/** A block as the API shows it: each verdict beside the request it is of, whatever else the block holds. */
import { expect, it } from 'vitest'
import { blockView } from '../../../src/composition/shared-views.ts'
import { verdictOf } from '../../support/fake-network.ts'
import { blockOn, GENESIS } from '../consensus/harness.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

it('puts verdicts beside their requests when another transaction stands before them', () => {
  const unjudged = numberedTransaction(1)
  const judged = numberedTransaction(2)
  const block = { ...blockOn(GENESIS, 1), transactions: [unjudged, judged] }
  const verdict = verdictOf(judged, [{ subject: 'work', reason: 'too little' }])
  const view = blockView(block, { stateRoot: null, isFinal: false, voters: [], verdicts: [verdict] })
  expect(
    view.transactions.map(({ requestKey, verdict, reasons }) => ({ requestKey, verdict, reasons })),
  ).toEqual([
    { requestKey: unjudged.requestKey, verdict: null, reasons: [] },
    { requestKey: judged.requestKey, verdict: 'invalid', reasons: ['work: too little'] },
  ])
})
