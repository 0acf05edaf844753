/** How many transactions a leader takes, by how long they took. */
import { describe, expect, it } from 'vitest'
import { BlockSize } from '../../../src/runtime/block-size.ts'

describe('the size of a block', () => {
  it('is what genesis allows as long as nothing is known', () => {
    expect(new BlockSize(50, 1_024).max).toBe(1_024)
  })

  it('is what executes in the time there is', () => {
    const size = new BlockSize(50, 1_024)
    size.executed(500, 100)
    expect(size.max).toBe(250)
  })

  it('is never more than genesis allows, and never so small that blocks are all it costs', () => {
    const size = new BlockSize(50, 1_024)
    size.executed(1_000, 1)
    expect(size.max).toBe(1_024)
    for (let i = 0; i < 50; i++) size.executed(1_000, 100_000)
    expect(size.max).toBe(64)
  })

  it('follows the machine, by a mean of recent blocks', () => {
    const size = new BlockSize(50, 1_024)
    size.executed(100, 20)
    size.executed(100, 120)
    // 0.2 ms, then 0.2 + 0.2 × (1.2 − 0.2) = 0.4 ms
    expect(size.max).toBe(125)
    for (let i = 0; i < 50; i++) size.executed(100, 20)
    expect(size.max).toBe(249)
  })

  it('learns nothing from small blocks, which cost what a block costs', () => {
    const size = new BlockSize(50, 1_024)
    size.executed(15, 1_000)
    expect(size.max).toBe(1_024)
  })
})
