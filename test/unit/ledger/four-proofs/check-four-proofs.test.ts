/** Every rule of the level "declared", on both sides of its bound: who is blamed, and in which words. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FAILURES_MAX, REASON_BYTES_MAX } from '../../../../src/codec/limits.ts'
import { utf8ToBytes } from '../../../../src/codec/utf8.ts'
import { decodeFailures, encodeFailures } from '../../../../src/codec/verdict.ts'
import { checkFourProofs, type JudgedState } from '../../../../src/ledger/four-proofs/check-four-proofs.ts'
import { genesisState } from '../../../../src/ledger/genesis-state.ts'
import { requestIdentity } from '../../../../src/ledger/request-identity.ts'
import type { HashedTransaction, ValidationTransaction } from '../../../../src/types/transaction.ts'
import type { RuleFailure } from '../../../../src/types/verdict.ts'
import {
  at,
  BLOCK_TIME,
  certificateRequest,
  certificateTransaction,
  EMPTY_STATE,
  fourProofTransaction,
  GENESIS,
  NOW_SECS,
  POLICY,
  PORTS,
  timeProof,
} from '../fixtures.ts'

const { genesisHash } = genesisState(GENESIS, PORTS).rules
const judge = (
  hashed: HashedTransaction<ValidationTransaction>,
  policy = POLICY,
  state: JudgedState = EMPTY_STATE,
): RuleFailure[] =>
  checkFourProofs(hashed.transaction, requestIdentity(hashed, genesisHash), state, BLOCK_TIME, policy)

type Overrides = NonNullable<Parameters<typeof certificateTransaction>[0]>
type SetOverrides = NonNullable<Parameters<typeof fourProofTransaction>[0]>
type Subject = RuleFailure['subject']

const DAY = 86_400n
// The block's time is NOW_SECS + 1 s.
const BLOCK_SECS = NOW_SECS + 1n
const requirements = certificateRequest().consensusRequirements
const require = (fields: Partial<typeof requirements>): Overrides => ({
  top: { consensusRequirements: { ...requirements, ...fields } },
})
const labels = (length: number): string =>
  'a.'
    .repeat(Math.floor(length / 2))
    .slice(0, length - 1)
    .padEnd(length, 'b')

/** Every request of the tables below that breaks one rule. */
const invalid: { hashed: HashedTransaction<ValidationTransaction> }[] = []

describe('a certificate request', () => {
  it('as TrustChain sends it is Valid', () => {
    expect(judge(certificateTransaction())).toEqual([])
  })

  const valid: [string, Overrides][] = [
    ['stake at the minimum', { stake: { stakeAmount: 100n } }],
    ['the largest stake', { stake: { stakeAmount: 2n ** 64n - 1n } }],
    ['a holder of 256 bytes', { stake: { stakeHolder: 'x'.repeat(256), stakeHolderId: 'é'.repeat(128) } }],
    ['stake 30 days old', { stake: { stakeTimestamp: at(BLOCK_SECS - 30n * DAY) } }],
    ['stake 5 s ahead', { stake: { stakeTimestamp: at(BLOCK_SECS + 5n) } }],
    ['nanoseconds that carry', { stake: { stakeTimestamp: at(BLOCK_SECS - 1n, 4_000_000_000) } }],
    ['the largest offset', { time: timeProof({ networkTimeOffset: at(300n) }) }],
    ['verified 300 s ago', { time: timeProof({ timeVerificationTimestamp: at(BLOCK_SECS - 300n) }) }],
    ['verified 300 s ahead', { time: timeProof({ timeVerificationTimestamp: at(BLOCK_SECS + 300n) }) }],
    ['storage at the minimum', { space: { totalStorage: 1_048_576n } }],
    ['storage at the cap', { space: { totalStorage: POLICY.maximumStorage } }],
    ['all storage used', { space: { totalSize: 1_073_741_824n } }],
    ['a path of 1,000 characters', { space: { storagePath: '😀'.repeat(1_000) } }],
    ['a file hash of 32 characters', { space: { fileHash: 'a'.repeat(32) } }],
    ['a file hash of 128 characters', { space: { fileHash: 'a'.repeat(128) } }],
    ['space 1 h old', { space: { proofTimestamp: at(BLOCK_SECS - 3_600n) } }],
    ['compute at the minimum', { work: { computationalPower: 10n } }],
    ['compute at the cap', { work: { computationalPower: 1_000_000n } }],
    ['pending for 10 min', { work: { proofTimestamp: at(BLOCK_SECS - 600n) } }],
    ['running for 1 h', { work: { workState: 'Running', proofTimestamp: at(BLOCK_SECS - 3_600n) } }],
    ['completed 24 h ago', { work: { workState: 'Completed', proofTimestamp: at(BLOCK_SECS - DAY) } }],
    ['a wildcard name', { certificate: { commonName: '*.example.com', sanEntries: ['*.example.com'] } }],
    ['a name of 253 characters', { certificate: { commonName: labels(253) } }],
    [
      'addresses as alternative names',
      { certificate: { sanEntries: ['192.0.2.1', '2001:db8::1', 'localhost'] } },
    ],
    ['100 alternative names', { certificate: { sanEntries: new Array(100).fill('a.example') } }],
    ['no names and addresses beside its own', { certificate: { sanEntries: [], ipv6Addresses: [] } }],
    ['ids of 512 bytes', { top: { requestId: 'x'.repeat(512) }, certificate: { nodeId: 'n'.repeat(512) } }],
    ['a tolerance of a third', require({ byzantineTolerance: 1 / 3 })],
    ['sent 300 s ago', { top: { timestamp: at(BLOCK_SECS - 300n) } }],
    ['sent 300 s ahead', { top: { timestamp: at(BLOCK_SECS + 300n) } }],
  ]
  it.each(valid)('is Valid with %s', (_, overrides) => {
    expect(judge(certificateTransaction(overrides))).toEqual([])
  })

  const tooLate = { time: timeProof({ timeVerificationTimestamp: at(BLOCK_SECS + 300n, 1) }) }
  const broken: [Subject, Overrides, string | string[]][] = [
    ['stake', { stake: { stakeAmount: 99n } }, 'stake_amount 99 is below the minimum 100 (network policy)'],
    [
      'stake',
      require({ minimumStake: 1_001n }),
      'stake_amount 1000 is below the minimum 1001 (consensus_requirements)',
    ],
    ['stake', { stake: { stakeHolder: '' } }, 'stake_holder is empty'],
    ['stake', { stake: { stakeHolderId: '' } }, 'stake_holder_id is empty'],
    [
      'stake',
      { stake: { stakeHolderId: 'é'.repeat(129) } },
      `stake_holder_id "${'\\u{e9}'.repeat(11)}…" (258 bytes) is too long: the maximum is 256 bytes, it has 258`,
    ],
    [
      'stake',
      { stake: { stakeTimestamp: at(BLOCK_SECS - 30n * DAY - 1n, 500_000_000) } },
      'stake_timestamp is 2592000.5 s old, the maximum is 2592000 s',
    ],
    [
      'stake',
      { stake: { stakeTimestamp: at(BLOCK_SECS + 5n, 1) } },
      'stake_timestamp is 5.000000001 s ahead of the block time, the maximum is 5 s',
    ],
    [
      'stake',
      { stake: { stakeTimestamp: at(2n ** 64n - 1n, 2 ** 32 - 1) } },
      'stake_timestamp is 18446744071949551618.294967295 s ahead of the block time, the maximum is 5 s',
    ],
    ['time', { time: { proofHash: new Uint8Array(5) } }, 'proof_hash is 5 bytes, it must be 32'],
    [
      'time',
      { time: { proofHash: new Uint8Array(32) } },
      `proof_hash ${'00'.repeat(32)} does not match the offset, timestamp and nonce, which give 34ba500bb28708ccab54053e10759e60c2ab7cf04835fb1bed26bde5c51318d0`,
    ],
    [
      'time',
      { time: timeProof({ networkTimeOffset: at(300n, 1) }) },
      'network_time_offset 300.000000001 s is above the maximum 300 s (network policy)',
    ],
    [
      'time',
      {
        ...require({ maxTimeOffset: at(0n, 1_500_000) }),
        time: timeProof({ timeVerificationTimestamp: at(BLOCK_SECS) }),
      },
      'network_time_offset 0.005 s is above the maximum 0.0015 s (consensus_requirements)',
    ],
    [
      'time',
      { time: timeProof({ timeVerificationTimestamp: at(BLOCK_SECS - 301n) }) },
      'time_verification_timestamp is 301 s behind the block time, the maximum is 300 s',
    ],
    [
      'time',
      tooLate,
      'time_verification_timestamp is 300.000000001 s ahead of the block time, the maximum is 300 s',
    ],
    [
      'time',
      require({ maxTimeOffset: at(0n, 500_000_000) }),
      'time_verification_timestamp is 0.876543211 s behind the block time, the maximum is 0.5 s',
    ],
    ['time', { time: timeProof({ nonce: 0n }) }, 'nonce is 0, it must not be'],
    [
      'time',
      { time: timeProof({ networkTimeOffset: at(2n ** 64n - 1n, 2 ** 32 - 1) }) },
      'network_time_offset 18446744073709551619.294967295 s is above the maximum 300 s (network policy)',
    ],
    [
      'space',
      { space: { totalStorage: 1_048_575n } },
      'total_storage 1048575 is below the minimum 1048576 (network policy)',
    ],
    [
      'space',
      require({ minimumStorage: 2_000_000_000n }),
      'total_storage 1073741824 is below the minimum 2000000000 (consensus_requirements)',
    ],
    [
      'space',
      { space: { totalStorage: POLICY.maximumStorage + 1n } },
      'total_storage 112589990684262401 is above the maximum 112589990684262400 (network policy)',
    ],
    [
      'space',
      { space: { totalSize: 1_073_741_825n } },
      'total_size 1073741825 is above total_storage 1073741824',
    ],
    ['space', { space: { nodeId: '' } }, 'node_id is empty'],
    ['space', { space: { storagePath: '' } }, 'storage_path is empty'],
    [
      'space',
      { space: { storagePath: '/'.repeat(1_001) } },
      'storage_path is 1001 characters, the maximum is 1000',
    ],
    [
      'space',
      { space: { fileHash: 'test_hash' } },
      'file_hash "test_hash" is 9 characters, it must be empty or 32 to 128',
    ],
    [
      'space',
      { space: { fileHash: 'f'.repeat(129) } },
      `file_hash "${'f'.repeat(64)}…" (129 bytes) is 129 characters, it must be empty or 32 to 128`,
    ],
    [
      'space',
      { space: { proofTimestamp: at(BLOCK_SECS - 3_601n) } },
      'proof_timestamp is 3601 s old, the maximum is 3600 s',
    ],
    [
      'space',
      { space: { proofTimestamp: at(BLOCK_SECS + 6n) } },
      'proof_timestamp is 6 s ahead of the block time, the maximum is 5 s',
    ],
    [
      'work',
      { work: { computationalPower: 9n } },
      'computational_power 9 is below the minimum 10 (network policy)',
    ],
    [
      'work',
      require({ minimumCompute: 1_001n }),
      'computational_power 1000 is below the minimum 1001 (consensus_requirements)',
    ],
    [
      'work',
      { work: { computationalPower: 1_000_001n } },
      'computational_power 1000001 is above the maximum 1000000 (network policy)',
    ],
    ['work', { work: { ownerId: '' } }, 'owner_id is empty'],
    ['work', { work: { workloadId: '' } }, 'workload_id is empty'],
    [
      'work',
      { work: { workState: 'Failed' } },
      'work_state is Failed, it must be Pending, Running or Completed',
    ],
    [
      'work',
      { work: { proofTimestamp: at(BLOCK_SECS - 601n) } },
      'proof_timestamp is 601 s old, the maximum is 600 s for a Pending workload',
    ],
    [
      'work',
      { work: { workState: 'Running', proofTimestamp: at(BLOCK_SECS - 3_601n) } },
      'proof_timestamp is 3601 s old, the maximum is 3600 s for a Running workload',
    ],
    [
      'work',
      { work: { workState: 'Completed', proofTimestamp: at(BLOCK_SECS - DAY - 1n) } },
      'proof_timestamp is 86401 s old, the maximum is 86400 s for a Completed workload',
    ],
    [
      'work',
      { work: { proofTimestamp: at(BLOCK_SECS + 6n) } },
      'proof_timestamp is 6 s ahead of the block time, the maximum is 5 s',
    ],
    ['request', { certificate: { commonName: '' } }, 'common_name "" is not a DNS name: it is empty'],
    [
      'request',
      { certificate: { commonName: '-bad.example' } },
      'common_name "-bad.example" is not a DNS name: label 1 begins or ends with a hyphen',
    ],
    [
      'request',
      { certificate: { sanEntries: ['ok.example', 'not ok', '300.1.1.1', '0.0.0.0'] } },
      [
        'san_entries[1] "not ok" is neither a DNS name nor an IP address: label 1 has a character other than letters, digits and hyphens',
        'san_entries[2] "300.1.1.1" is neither a DNS name nor an IP address: its last label is a number',
        'san_entries[3] "0.0.0.0" is the unspecified address',
      ],
    ],
    [
      'request',
      { certificate: { sanEntries: new Array(101).fill('a.example') } },
      'san_entries has 101 entries, the maximum is 100',
    ],
    [
      'request',
      { certificate: { ipv6Addresses: ['::1', '::', '192.0.2.1', '0:0:0:0:0:0:0:1'] } },
      [
        'ipv6_addresses[1] "::" is the unspecified address',
        'ipv6_addresses[2] "192.0.2.1" is not an IPv6 address',
        'ipv6_addresses[3] "0:0:0:0:0:0:0:1" is the same address as entry 0',
      ],
    ],
    ['request', { certificate: { nodeId: '' } }, 'certificate_request.node_id is empty'],
    ['request', { top: { requestId: '' } }, 'request_id is empty'],
    [
      'request',
      { top: { requestId: 'r'.repeat(513) } },
      `request_id "${'r'.repeat(64)}…" (513 bytes) is too long: the maximum is 512 bytes, it has 513`,
    ],
    ['request', require({ byzantineTolerance: -0.1 }), 'byzantine_tolerance -0.1 is not in [0, 1)'],
    ['request', require({ byzantineTolerance: 1 }), 'byzantine_tolerance 1 is not in [0, 1)'],
    [
      'request',
      require({ byzantineTolerance: Number.POSITIVE_INFINITY }),
      'byzantine_tolerance Infinity is not in [0, 1)',
    ],
    ['request', require({ byzantineTolerance: 0.34 }), 'byzantine_tolerance 0.34 is above the maximum 1/3'],
    [
      'request',
      { top: { timestamp: at(BLOCK_SECS - 301n) } },
      'timestamp is 301 s behind the block time, the maximum is 300 s',
    ],
    [
      'request',
      { top: { timestamp: at(BLOCK_SECS + 301n) } },
      'timestamp is 301 s ahead of the block time, the maximum is 300 s',
    ],
  ]
  const named = broken.map(([subject, overrides, reasons]) => ({
    subject,
    overrides,
    reasons: [reasons].flat(),
  }))
  invalid.push(...named.map(({ overrides }) => ({ hashed: certificateTransaction(overrides) })))
  it.each(named)('blames $subject alone: $reasons.0', ({ subject, overrides, reasons }) => {
    const expected = reasons.map((reason) => ({ subject, reason }))
    expect(judge(certificateTransaction(overrides))).toEqual(expected)
  })

  it('names everything that is wrong, in one order', () => {
    const bad = certificateTransaction({
      space: { totalStorage: 0n, nodeId: '' },
      stake: { stakeAmount: 0n },
      work: { workState: 'Failed' },
      time: timeProof({ nonce: 0n }),
      certificate: { commonName: '' },
    })
    expect(judge(bad).map(({ subject }) => subject)).toEqual([
      'space',
      'space',
      'stake',
      'work',
      'time',
      'request',
    ])
  })

  it('cannot lower the network’s floor or lift its caps', () => {
    const nothing = require({
      minimumStake: 0n,
      minimumStorage: 0n,
      minimumCompute: 0n,
      maxTimeOffset: at(2n ** 64n - 1n),
    })
    const poor = certificateTransaction({
      ...nothing,
      stake: { stakeAmount: 1n },
      space: { totalStorage: 1n },
      work: { computationalPower: 1n },
    })
    expect(judge(poor).map(({ subject }) => subject)).toEqual(['space', 'stake', 'work'])
    const offset = { ...nothing, time: timeProof({ networkTimeOffset: at(301n) }) }
    expect(judge(certificateTransaction(offset)).map(({ subject }) => subject)).toEqual(['time'])
  })

  it('needs something of everything even where nobody asks for anything', () => {
    const lax = { ...POLICY, minimumStake: 0n, minimumStorage: 0n, minimumCompute: 0n }
    const none = certificateTransaction({
      ...require({ minimumStake: 0n, minimumStorage: 0n, minimumCompute: 0n }),
      stake: { stakeAmount: 0n },
      space: { totalStorage: 0n },
      work: { computationalPower: 0n },
    })
    expect(judge(none, lax).map(({ reason }) => reason)).toEqual([
      'total_storage 0 is below the minimum 1 (always)',
      'stake_amount 0 is below the minimum 1 (always)',
      'computational_power 0 is below the minimum 1 (always)',
    ])
  })
})

describe('a four-proof set', () => {
  it('as TrustChain sends it is Valid', () => {
    expect(judge(fourProofTransaction())).toEqual([])
  })

  it('with nothing in it names all four proofs', () => {
    const none = new Uint8Array(0)
    const empty = fourProofTransaction({
      space: { storageCommitment: 0n, networkPosition: '', allocationProof: none },
      stake: { stakeAmount: 0n, authorityLevel: 0n, accessPermissions: [] },
      work: { computationalProof: none, difficultyTarget: 0, operationSignature: '' },
      time: { blockTimestamp: 0n, sequenceNumber: 0n, temporalProof: none },
    })
    const subjects = judge(empty).map(({ subject }) => subject)
    expect([...new Set(subjects)]).toEqual(['space', 'stake', 'work', 'time'])
  })

  const kib64 = new Uint8Array(65_536)
  const valid: [string, SetOverrides][] = [
    [
      'byte fields of 64 KiB',
      {
        space: { allocationProof: kib64 },
        work: { computationalProof: kib64 },
        time: { temporalProof: kib64 },
      },
    ],
    ['no permissions', { stake: { accessPermissions: [] } }],
    ['least figures', { stake: { stakeAmount: 1n, authorityLevel: 1n }, work: { difficultyTarget: 1 } }],
    ['the hardest target', { work: { difficultyTarget: 256 } }],
    ['300 s ago', { time: { blockTimestamp: BLOCK_SECS - 300n } }],
    ['300 s ahead', { time: { blockTimestamp: BLOCK_SECS + 300n } }],
    ['the largest sequence number', { time: { sequenceNumber: 2n ** 64n - 1n } }],
  ]
  it.each(valid)('is Valid with %s', (_, overrides) => {
    expect(judge(fourProofTransaction(overrides))).toEqual([])
  })

  const over = new Uint8Array(65_537)
  const broken: [Subject, SetOverrides, string][] = [
    [
      'space',
      { space: { storageCommitment: 1_048_575n } },
      'storage_commitment 1048575 is below the minimum 1048576 (network policy)',
    ],
    ['space', { space: { networkPosition: '' } }, 'network_position is empty'],
    ['space', { space: { allocationProof: over } }, 'allocation_proof is 65537 bytes, the maximum is 65536'],
    ['stake', { stake: { stakeAmount: 0n } }, 'stake_amount is 0, it must be above'],
    ['stake', { stake: { authorityLevel: 0n } }, 'authority_level is 0, it must be above'],
    ['stake', { stake: { accessPermissions: ['read', ''] } }, 'access_permissions[1] is empty'],
    ['work', { work: { difficultyTarget: 0 } }, 'difficulty_target 0 is not in 1 to 256'],
    ['work', { work: { difficultyTarget: 257 } }, 'difficulty_target 257 is not in 1 to 256'],
    ['work', { work: { operationSignature: '' } }, 'operation_signature is empty'],
    [
      'work',
      { work: { computationalProof: over } },
      'computational_proof is 65537 bytes, the maximum is 65536',
    ],
    [
      'time',
      { time: { blockTimestamp: BLOCK_SECS - 301n } },
      'block_timestamp is 301 s behind the block time, the maximum is 300 s',
    ],
    [
      'time',
      { time: { blockTimestamp: 2n ** 64n - 1n } },
      'block_timestamp is 18446744071949551614 s ahead of the block time, the maximum is 300 s',
    ],
    ['time', { time: { sequenceNumber: 0n } }, 'sequence_number is 0, the minimum is 1'],
    ['time', { time: { temporalProof: over } }, 'temporal_proof is 65537 bytes, the maximum is 65536'],
    ['request', { top: { nodeId: '' } }, 'node_id is empty'],
    ['request', { top: { assetId: '' } }, 'asset_id is empty'],
    ['request', { top: { operation: '' } }, 'operation is empty'],
    [
      'request',
      { top: { timestamp: at(BLOCK_SECS + 301n) } },
      'timestamp is 301 s ahead of the block time, the maximum is 300 s',
    ],
  ]
  const named = broken.map(([subject, overrides, reason]) => ({ subject, overrides, reason }))
  invalid.push(...named.map(({ overrides }) => ({ hashed: fourProofTransaction(overrides) })))
  it.each(named)('blames $subject alone: $reason', ({ subject, overrides, reason }) => {
    expect(judge(fourProofTransaction(overrides))).toEqual([{ subject, reason }])
  })
})

describe('reasons', () => {
  const hostile = '\u0000\u001b[31m\u202e"\\\n\ud83d\ude00'
  const long = hostile.repeat(400)
  const lines = (count: number) => new Array<string>(count).fill(long)
  const worst = certificateTransaction({
    top: {
      requestId: long,
      timestamp: at(2n ** 64n - 1n, 2 ** 32 - 1),
      consensusRequirements: {
        minimumStake: 2n ** 64n - 1n,
        maxTimeOffset: at(0n),
        minimumStorage: 2n ** 64n - 1n,
        minimumCompute: 2n ** 64n - 1n,
        byzantineTolerance: -1e300,
      },
      validationContext: { caId: '', networkId: '', certificateType: 'TLS', metadata: [] },
    },
    certificate: { commonName: long, sanEntries: lines(15), ipv6Addresses: lines(15), nodeId: long },
    stake: { stakeAmount: 0n, stakeHolder: long, stakeHolderId: long, stakeTimestamp: at(2n ** 64n - 1n) },
    time: {
      proofHash: new Uint8Array(32),
      networkTimeOffset: at(2n ** 64n - 1n),
      timeVerificationTimestamp: at(0n),
      nonce: 0n,
    },
    space: {
      nodeId: long,
      storagePath: long,
      totalSize: 2n ** 64n - 1n,
      totalStorage: 0n,
      fileHash: long,
      proofTimestamp: at(0n),
    },
    work: {
      ownerId: long,
      workloadId: long,
      computationalPower: 0n,
      workState: 'Failed',
      proofTimestamp: at(2n ** 64n - 1n),
    },
  })
  const used: JudgedState = {
    hasNullifier: () => true,
    requestKeyOfId: () => 'ab'.repeat(32) as ReturnType<JudgedState['requestKeyOfId']>,
    lastSequence: () => 2n ** 64n - 1n,
  }

  it('stay within their bounds and obey nobody when everything is wrong and hostile', () => {
    const failures = judge(worst, POLICY, used)
    expect(failures.length).toBeGreaterThan(30)
    expect(failures.length).toBeLessThanOrEqual(FAILURES_MAX)
    for (const { reason } of failures) {
      expect(utf8ToBytes(reason).length).toBeLessThanOrEqual(REASON_BYTES_MAX)
      // Printable ASCII and the sign that something was left out.
      expect(reason).toMatch(/^[\x20-\x7e…]+$/)
    }
    const list = failures.map(({ reason }) => reason)
    expect(list).toContain('san_entries: 11 more of 15 entries fail')
    expect(list).toContain('ipv6_addresses: 11 more of 15 entries fail')
    expect(decodeFailures(encodeFailures(failures))).toEqual({ ok: true, value: failures })
  })

  it('name a spent nonce and a reused id', () => {
    const reasons = judge(certificateTransaction(), POLICY, used)
    expect(reasons).toEqual([
      { subject: 'time', reason: expect.stringContaining('replayed') },
      { subject: 'request', reason: expect.stringMatching(/^request_id reused/) },
    ])
  })

  it('are told in the README as they are', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../../../src/ledger/README.md'), 'utf8')
    const rows = readme
      .split('\n')
      .filter((line) => /^\| (space|stake|work|time|request|its own) *\|/.test(line))
    const told = rows.flatMap((line) => {
      const reasons = line.split(' | ')[2] ?? ''
      return [...reasons.matchAll(/`([^`]+)`/g)]
        .map((match) => match[1] ?? '')
        .filter((text) => !text.includes('…'))
    })
    const notReplayedBySequence: JudgedState = { ...used, lastSequence: () => 0n }
    const seen = [
      ...invalid.flatMap(({ hashed }) => judge(hashed)),
      ...judge(certificateTransaction(), POLICY, used),
      ...judge(fourProofTransaction(), POLICY, used),
      ...judge(fourProofTransaction(), POLICY, notReplayedBySequence),
    ]
    const shape = (reason: string): string =>
      reason.replace(/"[^"]*"/g, 'Q').replace(/[0-9]+(?:\.[0-9]+)?/g, 'N')
    const shapes = new Set(seen.map(({ reason }) => shape(reason)))
    expect(told.length).toBeGreaterThan(30)
    expect(told.filter((reason) => !shapes.has(shape(reason)))).toEqual([])
  })
})
