/** All that TrustChain's own tests of this service intend (spec/stoq.md 5), and which test of ours has each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const E2E = 'e2e/trustchain.test.ts'
const LOAD = 'long/trustchain-load.test.ts'

/** In the order of theirs: what is intended, and file and beginning of the title of ours. */
const INTENTIONS: readonly (readonly [theirs: string, file: string, ours: string])[] = [
  ['test_certificate_issuance_with_consensus', E2E, 'test_certificate_issuance_with_consensus: '],
  ['test_four_proof_validation', E2E, 'test_four_proof_validation: '],
  ['test_invalid_proof_rejection', E2E, 'test_invalid_proof_rejection: a zeroed set is Invalid'],
  ['test_byzantine_node_detection', E2E, 'test_byzantine_node_detection: '],
  ['test_timeout_handling', E2E, 'test_timeout_handling: '],
  ['test_retry_logic', E2E, 'test_retry_logic: '],
  ['test_concurrent_validations', E2E, 'test_concurrent_validations: '],
  ['test_health_check', E2E, 'test_health_check: '],
  ['test_metrics_tracking', E2E, 'test_metrics_tracking: '],
  ['test_end_to_end_certificate_flow', E2E, 'test_end_to_end_certificate_flow: '],
  ['failure: server unavailable', E2E, 'server unavailable: '],
  ['failure: timeout of 50 ms', E2E, 'a timeout of 50 ms: '],
  ['failure: empty names and ids', E2E, 'empty names and ids: '],
  ['failure: 500 concurrent', E2E, '500 concurrent certificate requests: '],
  ['failure: corrupted proof', E2E, 'a corrupted proof: '],
  ['failure: five retries', E2E, 'five retries: '],
  ['failure: requirements that are too high', E2E, 'requirements that nobody meets: '],
  ['failure: 50 concurrent, zero panics', E2E, '50 concurrent at every node at once: '],
  ['failure: metrics', E2E, 'metrics under failure: '],
  ['failure: degradation', E2E, 'degradation: '],
  ['performance: 100 single', LOAD, '100 single validations'],
  ['performance: 50 sequential', LOAD, '50 sequential validations'],
  ['performance: 1, 10, 50, 100 at a time', LOAD, '100 requests, %i at a time'],
  ['performance: 1,000 at 100 at a time', LOAD, '1,000 requests, 100 at a time'],
  ['performance: cache', LOAD, 'a repeated request is answered from what is stored'],
  ['performance: goals', LOAD, 'the goals: '],
]

it('are 26, each once', () => {
  expect(INTENTIONS).toHaveLength(26)
  expect(new Set(INTENTIONS.map(([theirs]) => theirs)).size).toBe(26)
  expect(new Set(INTENTIONS.map(([, file, ours]) => `${file} ${ours}`)).size).toBe(26)
})

it.each(INTENTIONS)('%s is a test of ours', (_theirs, file, ours) => {
  const titles =
    readFileSync(join(import.meta.dirname, file), 'utf8').match(/\bit(?:\.each\([^)]*\))?\(\s*'[^']*/g) ?? []
  expect(titles.filter((title) => title.slice(title.indexOf("'") + 1).startsWith(ours))).toHaveLength(1)
})
