/** The size at which LevelDB's log becomes a table: near its default, and not the same in every process. */
import { expect, it } from 'vitest'
import { writeBufferBytes } from '../../../src/storage/database.ts'

const MIB = 2 ** 20

it('is from three quarters to three halves of 4 MiB, evenly', () => {
  expect([0, 1 / 3, 0.5, 0.999_999_9].map(writeBufferBytes)).toEqual([3 * MIB, 4 * MIB, 4.5 * MIB, 6 * MIB])
})
