/**
 * Ids in the test data that TrustChain's clients make up (`new_for_testing`, `default`; spec/stoq.md 3.4). No operator
 * may have them, and above the level "declared" a request that names one is refused.
 */

/** As they are written there. */
const TEST_NAMES: ReadonlySet<string> = new Set([
  'test',
  'test-001',
  'test-node',
  'test-owner',
  'test_node_001',
  'localhost_test',
  'localhost_node',
])

/** Whether a name is one of TrustChain's test data. */
export function isTestName(name: string): boolean {
  return TEST_NAMES.has(name)
}
