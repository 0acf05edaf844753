/** The way back for a validator that was excluded from verdicts: on probation, when its cool-down is over. */
import { describe, expect, it } from 'vitest'
import { type ChainRules, chainRules } from '../../../../src/ledger/chain-rules.ts'
import { VotingExecution } from '../../../../src/ledger/verdicts/voting-execution.ts'
import { asEpoch, asHeight, asUnixMs, type BlockHash } from '../../../../src/types/primitives.ts'
import type { ValidatorTrust } from '../../../../src/types/voting.ts'
import { idOf, StakingChain } from '../../../support/staking-chain.ts'
import { GENESIS, PORTS } from '../fixtures.ts'
import { accountOf, electorsWith, votingOf } from './fixtures.ts'

const RULES: ChainRules = chainRules(
  { ...GENESIS, parameters: { ...GENESIS.parameters, epochBlocks: 10 } },
  PORTS,
)
const OUT = accountOf(3)

/** The steps of a block at a height, in a state in which the last of four is excluded until period 5. */
function at(height: number, of: Partial<ValidatorTrust> = {}): VotingExecution {
  const voting = votingOf(electorsWith(1, 1, 1, 1))
  const trust = new Map(voting.trust)
  const before = trust.get(OUT)
  if (before === undefined) throw new Error('no trust')
  trust.set(OUT, { ...before, status: 'excluded', ppm: 409_600, exclusions: 1, untilPeriod: 5, ...of })
  const moment = {
    epoch: asEpoch(0),
    height: asHeight(height),
    blockTime: asUnixMs(1),
    parentHash: '00'.repeat(32) as BlockHash,
  }
  return new VotingExecution({ ...voting, trust }, moment, new StakingChain().staking, RULES)
}

describe('rejoining', () => {
  it('is refused to one who is not excluded, or not there', () => {
    expect(at(60, { status: 'active' }).rejoinRefusal(OUT)?.code).toBe('staking-not-excluded')
    expect(at(60, { status: 'probation' }).rejoinRefusal(OUT)?.code).toBe('staking-not-excluded')
    expect(at(60).rejoinRefusal(accountOf(9))?.code).toBe('staking-not-excluded')
  })

  it('is refused before the cool-down is over, and not in the first block after it', () => {
    expect(at(50).rejoinRefusal(OUT)).toMatchObject({
      code: 'staking-cool-down',
      detail: 'it may come back from period 5 on, this one is 4',
    })
    expect(at(51).rejoinRefusal(OUT)).toBeNull()
  })

  it('begins a probation with the trust that is left and no clean period', () => {
    const execution = at(51, { cleanStreak: 0 })
    execution.rejoin(OUT)
    expect(execution.state.trust.get(OUT)).toMatchObject({
      status: 'probation',
      ppm: 409_600,
      exclusions: 1,
      untilPeriod: 0,
      cleanStreak: 0,
    })
  })

  it('is a staking transaction of the account, once', () => {
    const chain = new StakingChain()
    expect(chain.refusalOf(chain.signed(0, { kind: 'rejoin' }))).toBe('staking-not-excluded')
    const { state } = chain.parent
    const trust = new Map(state.voting.trust)
    const before = trust.get(idOf(0))
    if (before === undefined) throw new Error('no trust')
    trust.set(idOf(0), { ...before, status: 'excluded', ppm: 400_000, exclusions: 1, untilPeriod: 0 })
    chain.parent = { ...chain.parent, state: { ...state, voting: { ...state.voting, trust } } }
    // Somebody else's signature takes nobody back.
    expect(chain.refusalOf(chain.signed(0, { kind: 'rejoin' }, { signer: 1 }))).toBe('staking-signature')
    const { changes } = chain.next([chain.signed(0, { kind: 'rejoin' })])
    expect(changes.voting.trust.get(idOf(0))).toMatchObject({ status: 'probation', ppm: 400_000 })
    expect(chain.refusalOf(chain.signed(0, { kind: 'rejoin' }))).toBe('staking-not-excluded')
  })
})
