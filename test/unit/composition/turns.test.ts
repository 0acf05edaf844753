import { describe, expect, it } from 'vitest'
import { Turns } from '../../../src/composition/turns.ts'

describe('turns', () => {
  it('are so many at once under a name, in order, and no name waits for another', async () => {
    const turns = new Turns(2)
    const log: string[] = []
    expect([turns.take('a'), turns.take('a'), turns.take('b')]).toEqual([null, null, null])
    const waiting = ['first', 'second'].map((who) => turns.take('a')?.then(() => log.push(who)))
    turns.give('a')
    await waiting[0]
    expect(log).toEqual(['first'])
    turns.give('a')
    await waiting[1]
    expect(log).toEqual(['first', 'second'])
    turns.give('a')
    expect(turns.take('a')).toBeNull()
    expect(turns.take('a')).not.toBeNull()
  })
})
