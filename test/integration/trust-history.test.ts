/** The history of trust in a real database: what counts as a change, over restarts, and how much of it is kept. */
import { afterEach, describe, expect, it } from 'vitest'
import { newTrust } from '../../src/ledger/verdicts/trust.ts'
import { trustHistoryKey } from '../../src/storage/buckets.ts'
import { Database } from '../../src/storage/database.ts'
import { TRUST_CHANGES_MAX, TrustHistory } from '../../src/storage/trust-history.ts'
import { NO_OPERATIONS } from '../../src/types/operations.ts'
import { type AccountId, asHeight } from '../../src/types/primitives.ts'
import type { ValidatorTrust, VerdictVoting } from '../../src/types/voting.ts'
import { NETWORK } from '../support/final-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const A = 'aa'.repeat(32) as AccountId
const B = 'bb'.repeat(32) as AccountId

const opened: Database[] = []
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
})
async function open(path: string): Promise<Database> {
  const database = await Database.open({ path, network: NETWORK })
  opened.push(database)
  return database
}

function votingOf(period: number, ...trust: readonly ValidatorTrust[]): VerdictVoting {
  return {
    electors: [{ period, stake: 0n, members: [] }],
    batches: [],
    trust: new Map(trust.map((of) => [of.account, of])),
    operations: NO_OPERATIONS,
  }
}
const blockAt = (height: number, voting: VerdictVoting) => ({
  block: { header: { height: asHeight(height) } },
  changes: { voting },
})

const a = newTrust(A, 800_000, 'active')
const b = newTrust(B, 800_000, 'active')
const GENESIS = votingOf(0, a, b)

describe('the history of trust', () => {
  it('has every change of trust and of standing, of whom it is, and survives a restart', async () => {
    const path = temporaryDirectory()
    const database = await open(path)
    const history = new TrustHistory(database, GENESIS)
    const agreed = { ...a, opportunities: 1, agreed: 1 }
    const dissented = { ...b, ppm: 640_000, opportunities: 1, dissented: 1 }
    // Blocks that become final together are told apart; counters alone are no change.
    await database.write(
      history.operations([
        blockAt(3, votingOf(0, agreed, dissented)),
        blockAt(
          4,
          votingOf(
            0,
            { ...agreed, agreed: 2, opportunities: 2 },
            { ...dissented, ppm: 512_000, opportunities: 2, dissented: 2 },
          ),
        ),
      ]),
    )
    expect(history.of(A)).toEqual([])
    const first = {
      height: 3,
      period: 0,
      from: 800_000,
      ppm: 640_000,
      status: 'active',
      slots: 1,
      agreed: 0,
      dissented: 1,
      withheld: 0,
      absent: 0,
    }
    const second = { ...first, height: 4, from: 640_000, ppm: 512_000, slots: 2, dissented: 2 }
    expect(history.of(B)).toEqual([first, second])

    // The end of a period: the counters begin anew, and the change is told with what they were.
    await database.write(
      history.operations([
        blockAt(5, votingOf(1, { ...a, ppm: 810_000 }, { ...b, ppm: 512_000, status: 'excluded' })),
      ]),
    )
    opened.splice(0)
    await database.close()
    const again = new TrustHistory(await open(path), votingOf(1, { ...a, ppm: 810_000 }))
    expect(again.of(A)).toMatchObject([
      { height: 5, period: 0, from: 800_000, ppm: 810_000, slots: 2, agreed: 2 },
    ])
    expect(again.of(B)).toMatchObject([
      { height: 3 },
      { height: 4 },
      { height: 5, from: 512_000, ppm: 512_000, status: 'excluded', dissented: 2 },
    ])
  })

  it('begins with a newcomer where he does', async () => {
    const database = await open(temporaryDirectory())
    const history = new TrustHistory(database, votingOf(0, a))
    await database.write(history.operations([blockAt(9, votingOf(0, a, newTrust(B, 500_000, 'probation')))]))
    expect(history.of(B)).toMatchObject([{ height: 9, from: 500_000, ppm: 500_000, status: 'probation' }])
  })

  it('keeps the latest changes of each, and no more', async () => {
    const database = await open(temporaryDirectory())
    const history = new TrustHistory(database, GENESIS)
    const blocks = Array.from({ length: TRUST_CHANGES_MAX + 60 }, (_, i) =>
      blockAt(i + 1, votingOf(0, a, { ...b, ppm: 700_000 - i })),
    )
    await database.write(history.operations(blocks.slice(0, 100)))
    await database.write(history.operations(blocks.slice(100)))
    const changes = history.of(B)
    expect(changes.map(({ height }) => height)).toEqual(
      Array.from({ length: TRUST_CHANGES_MAX }, (_, i) => i + 61),
    )
  })

  it('that is damaged is told as that', async () => {
    const database = await open(temporaryDirectory())
    await database.write([{ type: 'put', key: trustHistoryKey(A), value: Uint8Array.of(1, 2, 3) }])
    expect(() => new TrustHistory(database, GENESIS).of(A)).toThrow(
      expect.objectContaining({ code: 'E_DB_CORRUPT' }),
    )
  })
})
