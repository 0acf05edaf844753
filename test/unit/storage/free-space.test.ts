import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { FreeSpace } from '../../../src/storage/free-space.ts'

test('says what is left and where when it is little, and asks now and then only', () => {
  let nowMs = 0
  let left = 64 * 2 ** 20
  let asked = 0
  const space = new FreeSpace({
    folder: '/data',
    now: () => nowMs,
    available: () => {
      asked += 1
      return left
    },
  })
  expect(space.shortage()).toBeNull()
  left = 12 * 2 ** 20
  nowMs = 4_999
  expect(space.shortage()).toBeNull()
  nowMs = 5_000
  expect(space.shortage()).toBe(
    '12 MiB left on the disk of /data, wanted are 64; free some, for the node stops when it cannot write',
  )
  expect(asked).toBe(2)
  left = 2 ** 40
  nowMs = 10_000
  expect(space.shortage()).toBeNull()
})

test('asks the file system, and says so when it does not answer', () => {
  expect(new FreeSpace({ folder: tmpdir(), now: () => 0 }).shortage()).toBeNull()
  expect(new FreeSpace({ folder: '/nowhere/at/all', now: () => 0 }).shortage()).toMatch(
    /the disk of \/nowhere\/at\/all does not answer: ENOENT/,
  )
})
