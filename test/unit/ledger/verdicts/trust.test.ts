/** How trust moves: the tables of what each act costs and earns, who is excluded, and who comes back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterPeriod,
  afterSlot,
  type Conduct,
  changeStatuses,
  lose,
  newTrust,
  TRUST_TO_STAY,
} from '../../../../src/ledger/verdicts/trust.ts'
import { PERIOD_BLOCKS } from '../../../../src/ledger/verdicts/windows.ts'
import { asHeight } from '../../../../src/types/primitives.ts'
import { TRUST_MAX, type ValidatorTrust } from '../../../../src/types/voting.ts'
import { seededRandom } from '../../../support/seeded-random.ts'
import { accountOf, idOf } from './fixtures.ts'

const trustAt = (ppm: number, of: Partial<ValidatorTrust> = {}): ValidatorTrust => ({
  ...newTrust(accountOf(0), ppm, 'active'),
  ...of,
})
const after = (ppm: number, ...conducts: Conduct[]): ValidatorTrust =>
  conducts.reduce((trust, conduct, i) => afterSlot(trust, conduct, asHeight(100 + i), true), trustAt(ppm))

describe('a slot', () => {
  it.each<[Conduct, number, Partial<ValidatorTrust>]>([
    ['agreed', 800_000, { agreed: 1 }],
    ['inconclusive', 800_000, {}],
    ['dissented', 640_000, { dissented: 1 }],
    ['leaked', 400_000, { dissented: 1 }],
    ['withheld', 640_000, { withheld: 1, withheldAt: asHeight(100) }],
    ['abstained', 800_000, { absent: 1 }],
    ['absent', 800_000, { absent: 1 }],
  ])('%s leaves 800,000 at %d', (conduct, ppm, counters) => {
    expect(after(800_000, conduct)).toEqual({ ...trustAt(ppm), opportunities: 1, ...counters })
  })

  it.each([
    [1, 200_000, 0],
    [4, 200_000, 3],
    [6, 200_000, 4],
    [999_999, 200_000, 799_999],
    [1, 500_000, 0],
    [0, 200_000, 0],
  ])('rounds what is lost up: %d less %d ppm of it is %d', (ppm, share, expected) => {
    expect(lose(ppm, share)).toBe(expected)
  })

  it('earns nothing in a second attempt, where the answer is known, and costs as much', () => {
    const again = (conduct: Conduct) => afterSlot(trustAt(800_000), conduct, asHeight(5), false)
    expect(again('agreed')).toMatchObject({ ppm: 800_000, agreed: 0, opportunities: 1 })
    expect(again('dissented')).toMatchObject({ ppm: 640_000, dissented: 1 })
  })

  it('of silence costs no less than the same lies told (T5)', () => {
    const four = (conduct: Conduct) => {
      let trust = trustAt(TRUST_MAX)
      for (let i = 0; i < 4; i++) {
        const height = asHeight(100 + 10 * i)
        // It is seen before each: it lives, and keeps its openings to itself.
        trust = afterSlot({ ...trust, lastSeen: height }, conduct, height, true)
      }
      return trust.ppm
    }
    expect(four('withheld')).toBeLessThanOrEqual(four('dissented'))
  })

  it('withheld in an outage is paid for once, and by one who was seen since it paid each time', () => {
    const paid = (seenAt: readonly (number | null)[]) => {
      let trust = trustAt(TRUST_MAX, { lastSeen: asHeight(90) })
      for (const [i, seen] of seenAt.entries()) {
        if (seen !== null) trust = { ...trust, lastSeen: asHeight(seen) }
        trust = afterSlot(trust, 'withheld', asHeight(100 + 10 * i), true)
      }
      return [trust.withheld, trust.absent, trust.ppm]
    }
    expect(paid([null, null, null])).toEqual([1, 2, 800_000])
    expect(paid([null, 105, null])).toEqual([2, 1, 640_000])
    expect(paid([null, 105, 115])).toEqual([3, 0, 512_000])
  })

  it('of several that end with one block is withheld each time by one whose ballots are in that block', () => {
    let trust = trustAt(TRUST_MAX, { lastSeen: asHeight(100) })
    for (let i = 0; i < 3; i++) trust = afterSlot(trust, 'withheld', asHeight(100), true)
    expect([trust.withheld, trust.ppm]).toEqual([3, 512_000])
  })
})

describe('a period', () => {
  it.each<[string, Partial<ValidatorTrust>, number, number]>([
    ['clean', { opportunities: 10, agreed: 10 }, 810_000, 4],
    ['clean, with less to judge than ten', { opportunities: 9, agreed: 9 }, 798_000, 3],
    ['with nothing to judge', {}, 798_000, 3],
    ['with one dissent', { opportunities: 20, agreed: 19, dissented: 1 }, 800_000, 0],
    ['with one opening withheld', { opportunities: 20, agreed: 19, withheld: 1 }, 800_000, 0],
    ['absent from a tenth', { opportunities: 100, agreed: 90, absent: 10 }, 810_000, 4],
    ['absent from more than a tenth', { opportunities: 100, agreed: 89, absent: 11 }, 780_000, 0],
    ['always abstaining (T28)', { opportunities: 50, absent: 50 }, 780_000, 0],
  ])('%s', (_, counters, ppm, cleanStreak) => {
    expect(afterPeriod(trustAt(800_000, { cleanStreak: 3, ...counters }))).toEqual(
      trustAt(ppm, { cleanStreak }),
    )
  })

  it('at the edges: nobody rises above full trust, falls below none, or decays below the way back', () => {
    const clean = { opportunities: 10, agreed: 10 }
    expect(afterPeriod(trustAt(999_999, clean)).ppm).toBe(TRUST_MAX)
    expect(afterPeriod(trustAt(10_000, { opportunities: 1, absent: 1 })).ppm).toBe(0)
    expect(afterPeriod(trustAt(701_000)).ppm).toBe(700_000)
    expect(afterPeriod(trustAt(700_000)).ppm).toBe(700_000)
    expect(afterPeriod(trustAt(600_000)).ppm).toBe(600_000)
  })

  it('is no matter to one who is excluded', () => {
    const excluded = trustAt(400_000, { status: 'excluded', absent: 5, opportunities: 5 })
    expect(afterPeriod(excluded)).toEqual({ ...excluded, absent: 0, opportunities: 0 })
  })
})

/** Statuses after a period of validators with these stakes and trusts, at equal places. */
function statuses(
  of: readonly (Partial<ValidatorTrust> & { readonly stake: number })[],
  nextPeriod = 5,
): (readonly [string, number])[] {
  const trust = new Map(
    of.map(({ stake: _, ...rest }, i) => [
      accountOf(i),
      { ...newTrust(accountOf(i), 800_000, 'active'), ...rest },
    ]),
  )
  const seats = of.map(({ stake }, i) => ({
    validator: { id: idOf(i), publicKey: new Uint8Array(0), stake: BigInt(stake) },
    account: accountOf(i),
  }))
  changeStatuses(trust, seats, nextPeriod)
  return of.map((_, i) => {
    const { status, untilPeriod } = trust.get(accountOf(i)) as ValidatorTrust
    return [status, untilPeriod]
  })
}
const active = ['active', 0] as const
const probation = ['probation', 0] as const

describe('exclusion', () => {
  it('comes within four dissents from full trust, and ends a run of clean periods', () => {
    let trust = trustAt(TRUST_MAX, { cleanStreak: 7 })
    const seen = [0, 1, 2, 3].map((i) => {
      trust = afterSlot(trust, 'dissented', asHeight(i), true)
      return trust.ppm
    })
    expect(seen).toEqual([800_000, 640_000, 512_000, 409_600])
    const map = new Map([[trust.account, trust]])
    const others = [1, 2, 3].map((i) => {
      map.set(accountOf(i), newTrust(accountOf(i), 800_000, 'active'))
      return i
    })
    const seats = [0, ...others].map((i) => ({
      validator: { id: idOf(i), publicKey: new Uint8Array(0), stake: 1n },
      account: accountOf(i),
    }))
    changeStatuses(map, seats, 5)
    expect(map.get(trust.account)).toMatchObject({ status: 'excluded', cleanStreak: 0, exclusions: 1 })
  })

  it('comes within ten periods of six hundred blocks for one that does not look, at one invalid in a hundred (T18)', () => {
    const random = seededRandom(18)
    const periodsTaken = Array.from({ length: 41 }, () => {
      let trust = trustAt(800_000)
      for (let period = 1; ; period++) {
        for (let block = 1; block <= PERIOD_BLOCKS; block++) {
          const conduct = random() < 0.01 ? 'dissented' : 'agreed'
          trust = afterSlot(trust, conduct, asHeight(block), true)
        }
        trust = afterPeriod(trust)
        if (trust.ppm < TRUST_TO_STAY) return period
      }
    })
    expect(periodsTaken.toSorted((a, b) => a - b)[20]).toBeLessThanOrEqual(10)
  })

  it('is for trust below one half, not at it', () => {
    const others = [1, 2, 3].map(() => ({ stake: 1 }))
    expect(statuses([{ stake: 1, ppm: 500_000 }, ...others])[0]).toEqual(active)
    expect(statuses([{ stake: 1, ppm: 499_999 }, ...others])[0]).toEqual(['excluded', 15])
  })

  it.each([
    [0, 15],
    [1, 25],
    [5, 325],
    [6, 645],
    [7, 645],
  ])('after %i earlier ones lasts until period %i', (exclusions, until) => {
    const fallen = { stake: 1, ppm: 1, exclusions }
    expect(statuses([fallen, { stake: 1 }, { stake: 1 }, { stake: 1 }])[0]).toEqual(['excluded', until])
  })

  it('stops at a third of the stake, the least trusted first', () => {
    // W = 9: three may be without weight.
    const fallen = [400_000, 300_000, 200_000, 100_000].map((ppm) => ({ stake: 1, ppm }))
    const honest = [1, 2, 3, 4, 5].map(() => ({ stake: 1 }))
    expect(statuses([...fallen, ...honest]).map(([status]) => status)).toEqual([
      'active',
      'excluded',
      'excluded',
      'excluded',
      ...honest.map(() => 'active'),
    ])
  })

  it('passes over one too heavy and takes the next', () => {
    // W = 10: the first is 4, above floor(10 / 3).
    expect(
      statuses([{ stake: 4, ppm: 1 }, { stake: 3, ppm: 2 }, { stake: 3 }]).map(([status]) => status),
    ).toEqual(['active', 'excluded', 'active'])
  })

  it('counts those who have no weight already', () => {
    expect(
      statuses([{ stake: 2, status: 'probation' }, { stake: 2, ppm: 1 }, { stake: 5 }]).map(
        ([status]) => status,
      ),
    ).toEqual(['probation', 'active', 'active'])
  })

  it('of equals goes by account, so that all nodes agree', () => {
    const fallen = { stake: 2, ppm: 1 }
    expect(statuses([fallen, fallen, { stake: 2 }, { stake: 2 }]).map(([status]) => status)).toEqual([
      'excluded',
      'active',
      'active',
      'active',
    ])
  })
})

describe('the way back', () => {
  const ready = { status: 'probation' as const, ppm: 700_000, cleanStreak: 20 }

  it('from one half takes twenty clean periods', () => {
    let trust = trustAt(500_000, { status: 'probation' })
    const back = () => statuses([{ stake: 1, ...trust, account: accountOf(0) }, { stake: 9 }])[0]?.[0]
    for (let period = 1; period <= 20; period++) {
      expect(back()).toBe('probation')
      trust = afterPeriod({ ...trust, opportunities: 10, agreed: 10 })
    }
    expect([trust.ppm, trust.cleanStreak, back()]).toEqual([700_000, 20, 'active'])
  })

  it.each([
    ['too little trust', { ppm: 699_999 }, probation],
    ['too few clean periods', { cleanStreak: 19 }, probation],
    ['both', {}, active],
    ['excluded, whatever else', { status: 'excluded' as const }, ['excluded', 0]],
  ])('%s', (_, change, expected) => {
    expect(statuses([{ stake: 1, ...ready, ...change }, { stake: 20 }])[0]).toEqual(expected)
  })

  it('is for a tenth of the stake in one period, and for one at least', () => {
    // W = 40: four stakes of one may return.
    const many = [1, 2, 3, 4, 5].map(() => ({ stake: 1, ...ready }))
    expect(statuses([...many, { stake: 35 }]).map(([status]) => status)).toEqual([
      'active',
      'active',
      'active',
      'active',
      'probation',
      'active',
    ])
    // One is more than a tenth by itself, and the next does not fit beside it.
    const heavy = { stake: 10, ...ready }
    expect(statuses([heavy, heavy, { stake: 20 }]).map(([status]) => status)).toEqual([
      'active',
      'probation',
      'active',
    ])
  })

  it('begins with probation for whoever is new', () => {
    const trust = new Map()
    const seats = [
      { validator: { id: idOf(0), publicKey: new Uint8Array(0), stake: 1n }, account: accountOf(0) },
    ]
    changeStatuses(trust, seats, 3)
    expect([...trust.values()]).toEqual([newTrust(accountOf(0), 500_000, 'probation')])
  })
})

describe('trust, whatever is done', () => {
  const conduct = fc.constantFrom<Conduct>(
    'agreed',
    'inconclusive',
    'dissented',
    'withheld',
    'leaked',
    'abstained',
    'absent',
  )
  const steps = fc.array(fc.oneof(conduct, fc.constant('period' as const)), { maxLength: 120 })
  const step = (trust: ValidatorTrust, what: Conduct | 'period', height: number): ValidatorTrust =>
    what === 'period' ? afterPeriod(trust) : afterSlot(trust, what, asHeight(height), true)

  it('stays a whole number from 0 to 1,000,000', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: TRUST_MAX }), steps, (ppm, all) => {
        let trust = trustAt(ppm)
        for (const [i, what] of all.entries()) {
          trust = step(trust, what, i + 1)
          expect(Number.isInteger(trust.ppm) && trust.ppm >= 0 && trust.ppm <= TRUST_MAX).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is never lowered by an agreement, nor by a slot without a verdict', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: TRUST_MAX }),
        fc.array(fc.constantFrom<Conduct>('agreed', 'inconclusive'), { minLength: 10, maxLength: 60 }),
        fc.boolean(),
        (ppm, all, isBlind) => {
          let trust = trustAt(ppm)
          for (const [i, what] of all.entries()) trust = afterSlot(trust, what, asHeight(i + 1), isBlind)
          expect(trust.ppm).toBe(ppm)
          const { agreed } = trust
          if (agreed >= 10) expect(afterPeriod(trust).ppm).toBe(Math.min(TRUST_MAX, ppm + 10_000))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('earns at most 10,000 in a period, however much there is to judge (T19)', () => {
    const trust = after(800_000, ...Array<Conduct>(500).fill('agreed'))
    expect(afterPeriod(trust).ppm).toBe(810_000)
  })
})
