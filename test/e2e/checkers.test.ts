/** The checkers of the end-to-end tests can fail: what they must find, planted. */

import { describe, expect, it } from 'vitest'
import { contradictionsOf, type Signed } from '../support/e2e/safety-witness.ts'
import { serdeProblems } from '../support/e2e/serde-answer.ts'
import { until } from '../support/e2e/until.ts'
import { vector } from '../support/requests.ts'

describe('the rules of serde', () => {
  const valid = vector('valid_json')

  it.each([
    ['valid_json', valid],
    ['invalid_json', vector('invalid_json')],
    ['pending_json', valid.replace('"Valid"', vector('pending_json'))],
    ['error_json', valid.replace('"Valid"', vector('error_json'))],
  ])('take what Rust wrote: %s', (_name, json) => {
    expect(serdeProblems(json)).toEqual([])
  })

  it.each([
    ['an unknown status', valid.replace('"Valid"', '"valid"')],
    ['two statuses', vector('invalid_json').replace('{"Invalid"', '{"Valid":null,"Invalid"')],
    ['a short hash', valid.replace('[7,7,', '[7,')],
    ['a hash of hex', valid.replace(/\[7[^\]]*\]/, `"${'07'.repeat(32)}"`)],
    ['a byte too large', valid.replace('[7,7,', '[7,256,')],
    ['a fraction for an integer', valid.replace('"validation_time_us":1234', '"validation_time_us":1234.0')],
    ['an integer as text', valid.replace('"validation_time_us":1234', '"validation_time_us":"1234"')],
    ['an integer beyond 64 bits', valid.replace(':1234,', ':18446744073709551616,')],
    ['a negative integer', valid.replace(':1234,', ':-1,')],
    ['no number where one must be', valid.replace('"network_load":0.3', '"network_load":null')],
    ['a time as text', valid.replace(/"validated_at":\{[^}]*\}/, '"validated_at":"2026-11-21T00:00:00Z"')],
    ['a missing field', valid.replace(',"recovery_action_taken":null', '')],
    ['one field more', valid.replace('"details":{', '"more":1,"details":{')],
    ['another order', valid.replace(/("space_proof_valid":true),("stake_proof_valid":true)/, '$2,$1')],
  ])('refuse %s', (_what, json) => {
    expect(json).not.toBe(valid)
    expect(serdeProblems(json)).not.toEqual([])
  })
})

describe('the witness of signatures', () => {
  const vote = (change: Partial<Signed>): Signed => ({
    node: 0,
    kind: 'prepare',
    epoch: 0,
    view: 7,
    content: 'a',
    ...change,
  })

  it('has nothing against one content per slot, said twice', () => {
    const signed = [vote({}), vote({}), vote({ node: 1 }), vote({ kind: 'pre-commit' }), vote({ view: 8 })]
    expect(contradictionsOf(signed)).toEqual({ slots: 4, contradictions: [] })
  })

  it.each([
    ['two votes', [vote({}), vote({ content: 'b' })]],
    ['two timeouts', [vote({ kind: 'timeout', content: '5' }), vote({ kind: 'timeout', content: '6' })]],
    ['two validators for two blocks', [vote({}), vote({ node: 1, content: 'b' })]],
  ])('finds %s in one view', (_what, signed) => {
    expect(contradictionsOf(signed).contradictions).not.toEqual([])
  })
})

describe('until', () => {
  it('gives up and tells what it waited for, and what went wrong last', async () => {
    const failure = new Error('refused')
    const wait = until(
      () => {
        throw failure
      },
      50,
      'it answers',
    )
    await expect(wait).rejects.toMatchObject({
      message: 'never within 50 ms: it answers',
      cause: failure,
    })
  })

  it('hands over what it waited for', async () => {
    let looks = 0
    expect(await until(() => (++looks < 3 ? null : looks), 5_000, 'three looks')).toBe(3)
  })
})
