/** The gauges that are set from what the parts say of themselves: who is connected, what waits, who has a vote. */
import { afterAll, expect, it } from 'vitest'
import { type NodeGaugeParts, setNodeGauges, setValidatorGauges } from '../../../src/composition/gauges.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import type { PeerEntry } from '../../../src/network/peers.ts'
import { createMetrics } from '../../../src/observability/metrics.ts'
import type { ValidatorId } from '../../../src/types/primitives.ts'

const metrics = createMetrics({ version: '1', commit: 'x' })
afterAll(() => metrics.stop())

const figures = async (): Promise<string[]> => (await metrics.render()).split('\n')

const peer = (direction: PeerEntry['direction'], transport: PeerEntry['transport']): PeerEntry => ({
  peerId: 'p',
  nodeId: null,
  validatorId: null,
  direction,
  transport,
  rttMs: null,
  address: '',
  addresses: [],
  userAgent: null,
  sinceMs: 0,
})

function partsWith(peers: PeerEntry[], pendingValidations: number, bytes: number): NodeGaugeParts {
  return {
    metrics,
    pool: { size: 2, bytes: 900 },
    network: {
      peers: { list: () => peers },
      dialer: { state: () => ({ connected: 1, wanted: 3, failures: [] }) },
    },
    service: {
      metrics: () => ({
        totalRequests: 0n,
        successfulValidations: 0n,
        failedValidations: 0n,
        avgValidationTimeUs: 0n,
        pendingValidations,
        byzantineFaultsDetected: 0n,
        lastUpdatedUnixMs: 0,
      }),
    },
    database: { approximateBytes: async () => bytes },
    checks: [{ name: 'storage', ok: true, reason: null }],
  }
}

it('shows connections by direction and carrier, what waits, and the size of the database', async () => {
  await setNodeGauges(
    partsWith([peer('inbound', 'tcp'), peer('inbound', 'tcp'), peer('outbound', null)], 5, 77),
  )
  expect(await figures()).toEqual(
    expect.arrayContaining([
      'hypermesh_p2p_peers{direction="inbound",transport="tcp"} 2',
      'hypermesh_p2p_peers{direction="outbound",transport="other"} 1',
      'hypermesh_p2p_peers{direction="outbound",transport="quic"} 0',
      'hypermesh_p2p_bootstrap_peers 1',
      'hypermesh_validation_pending 5',
      'hypermesh_db_size_bytes 77',
      'hypermesh_mempool_items 2',
      'hypermesh_mempool_bytes 900',
      'hypermesh_ready{check="storage"} 1',
    ]),
  )
  await setNodeGauges(partsWith([], 0, 78))
  expect(await figures()).toEqual(
    expect.arrayContaining([
      'hypermesh_p2p_peers{direction="inbound",transport="tcp"} 0',
      'hypermesh_validation_pending 0',
      'hypermesh_db_size_bytes 78',
    ]),
  )
})

it("shows a validator's share of the stake, and nothing for who is in no set", async () => {
  const member = (id: string, stake: bigint) => ({
    id: id as ValidatorId,
    publicKey: new Uint8Array(1_952),
    stake,
  })
  const electorate = new Electorate({ epoch: 0, validators: [member('a', 3n), member('b', 1n)] } as never)
  setValidatorGauges(metrics, electorate, 'b' as ValidatorId)
  expect(await figures()).toEqual(
    expect.arrayContaining(['hypermesh_validator_is_active 1', 'hypermesh_validator_power_ratio 0.25']),
  )
  setValidatorGauges(metrics, electorate, 'c' as ValidatorId)
  expect(await figures()).toEqual(
    expect.arrayContaining(['hypermesh_validator_is_active 0', 'hypermesh_validator_power_ratio 0']),
  )
})
