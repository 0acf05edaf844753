import { describe, expect, it } from 'vitest'
import { ValidatorFollowing } from '../../../src/composition/validator-following.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import type { Logger } from '../../../src/types/logger.ts'
import type { ValidatorId } from '../../../src/types/primitives.ts'
import { validatorSet } from '../consensus/harness.ts'

const three = new Electorate(validatorSet([1n, 1n, 1n]))
const two = new Electorate(validatorSet([1n, 1n]))
const [first, , third] = three.set.validators.map(({ id }) => id) as [ValidatorId, ValidatorId, ValidatorId]

function following(id: ValidatorId, hasRecord = true, isHeld = false) {
  const messages: string[] = []
  const say = (_fields: object, message: string): void => void messages.push(message)
  const logger: Logger = { debug: say, info: say, warn: say, error: say }
  const told: ValidatorId[][] = []
  const one = new ValidatorFollowing({
    id,
    hasRecord,
    isHeld: () => isHeld,
    setValidators: (ids) => told.push([...ids]),
    logger,
  })
  return { one, told, messages }
}

describe('who follows the validators', () => {
  it('tells the network of this epoch and the last', () => {
    const { one, told } = following(first)
    for (const electorate of [three, two, two]) one.follow(electorate)
    const all = three.set.validators.map(({ id }) => id)
    expect(told).toEqual([all, all, all.slice(0, 2)])
  })

  it('has no place among them as long as it does not sign', () => {
    const { one, told } = following(first, true, true)
    one.follow(two)
    expect(told).toEqual([[two.set.validators[1]?.id]])
  })

  it('says when this node comes in and when it leaves, and nothing at the start', () => {
    const { one, messages } = following(third)
    one.follow(two)
    expect(messages).toEqual([])
    for (const electorate of [three, three, two]) one.follow(electorate)
    expect(messages).toEqual([
      'this node is a validator from this epoch on',
      'this node is no validator any more',
    ])
  })

  it('complains about a key without a record', () => {
    const { one, messages } = following(first, false)
    one.follow(two)
    expect(messages).toEqual(['this node is a validator that does not vote'])
  })
})
