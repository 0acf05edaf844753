/** Lists in a real database, many to a row, read from anywhere to anywhere. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/codec/hex.ts'
import { nullifierRunKey } from '../../src/storage/buckets.ts'
import { Database } from '../../src/storage/database.ts'
import { readRuns, runOperations } from '../../src/storage/runs.ts'
import { NETWORK } from '../support/final-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Of two lengths, as records have more than one. */
const ENTRIES = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(i % 3 === 0 ? 90 : 64, '0'))
const BYTES = ENTRIES.map((entry) => fromHex(entry))
/** Lengths of the rows: one entry, some, and many. */
const ROWS = [1, 1, 7, 100, 1, 64, 26]

let database: Database
beforeEach(async () => {
  database = await Database.open({ path: temporaryDirectory(), network: NETWORK })
  let first = 0
  for (const length of ROWS) {
    await database.write([...runOperations('nullifierRuns', BYTES.slice(first, first + length), first)])
    first += length
  }
})
afterEach(() => database.close())

async function read(from: number, to: number, perSlice = 16): Promise<string[][]> {
  const view = database.view()
  try {
    const slices: string[][] = []
    for await (const slice of readRuns(view, 'nullifierRuns', { from, to, perSlice })) {
      slices.push(slice.map((entry) => toHex(entry)))
    }
    return slices
  } finally {
    view.close()
  }
}

describe('a list in rows of many', () => {
  it('is read from every place to every place, wherever rows begin and end', async () => {
    for (let from = 0; from < ENTRIES.length; from += 13) {
      for (let to = from; to < ENTRIES.length; to += 17) {
        expect((await read(from, to)).flat()).toEqual(ENTRIES.slice(from, to + 1))
      }
    }
    expect((await read(0, 199)).flat()).toEqual(ENTRIES)
  })

  it('comes in slices that are full, but for the last', async () => {
    expect((await read(5, 199, 64)).map(({ length }) => length)).toEqual([64, 64, 64, 3])
    expect((await read(5, 5, 64)).map(({ length }) => length)).toEqual([1])
  })

  it('ends where its rows do, for whoever asks to count', async () => {
    expect((await read(190, 400)).flat()).toEqual(ENTRIES.slice(190))
    expect(runOperations('nullifierRuns', [], 200)).toEqual([])
  })

  it('is refused when entries are missing in the middle', async () => {
    await database.write([{ type: 'del', key: nullifierRunKey(108) }])
    expect((await read(0, 8)).flat()).toEqual(ENTRIES.slice(0, 9))
    expect((await read(109, 199)).flat()).toEqual(ENTRIES.slice(109))
    for (const [from, to] of [
      [0, 9],
      [9, 9],
      [50, 150],
    ] as const) {
      await expect(read(from, to)).rejects.toMatchObject({
        code: 'E_DB_CORRUPT',
        message: expect.stringMatching(/entry \d+ of nullifierRuns is missing/) as string,
      })
    }
  })
})
