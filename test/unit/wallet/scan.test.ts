/** Reading the chain: resumed where it was left, and a node that does not tell the truth is found out. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../../src/rpc/json-shape.ts'
import { asHeight } from '../../../src/types/primitives.ts'
import { checkPage, type EntryJson, type PageJson, pageShape } from '../../../src/wallet/scan/entries-page.ts'
import type { EntrySource, ScanProgress } from '../../../src/wallet/scan/scan-chain.ts'
import { entriesRootOf, FakeLedger } from '../../support/wallet/fake-ledger.ts'
import { carryOut, genesisNote, makeWallet, newWallet, openWallet } from '../../support/wallet/wallets.ts'

const genesis = [genesisNote(1, 1_000n), genesisNote(1, 2_000n)]

/** A chain of seven payments from the first wallet to the second. */
async function chain(): Promise<FakeLedger> {
  const ledger = new FakeLedger(genesis)
  const folder = mkdtempSync(join(tmpdir(), 'hypermesh-test-'))
  const alice = await makeWallet(1, genesis, join(folder, 'alice'))
  const bob = await makeWallet(2, genesis, join(folder, 'bob'))
  await alice.scan(ledger)
  for (let i = 1n; i <= 7n; i++) {
    await carryOut(alice, ledger, { kind: 'send', to: bob.address, amount: 10n * i, fee: 1n })
  }
  await Promise.all([alice.close(), bob.close()])
  rmSync(folder, { recursive: true })
  return ledger
}

const ledger = await chain()
const BOB = 280n
const ALICE = 3_000n - BOB - 7n

/** The ledger with pages changed on their way. */
function lying(change: (page: PageJson) => PageJson): EntrySource {
  return { page: async (from, limit) => change(await ledger.page(from, limit)) }
}

/** The page with one of its entries changed. */
const entry =
  (index: number, change: (entry: EntryJson) => EntryJson) =>
  (page: PageJson): PageJson => ({
    ...page,
    entries: page.entries.map((one) => (one.index === index ? change(one) : one)),
  })

const other = (hex: string): string => (hex[0] === '0' ? '1' : '0') + hex.slice(1)

describe('a scan', () => {
  it.each([1, 2, 3, 7, 256])('finds what is its own, %d transactions at a time', async (limit) => {
    for (const [seed, amount] of [
      [1, ALICE],
      [2, BOB],
      [3, 0n],
    ] as const) {
      const { wallet } = await newWallet(seed, genesis)
      const seen: ScanProgress[] = []
      await wallet.scan(ledger, { limit, onProgress: (progress) => seen.push(progress) })
      expect(wallet.balance().spendable).toBe(amount)
      expect(seen).toHaveLength(Math.ceil(7 / limit))
      expect(seen.at(-1)).toMatchObject({ entries: 7, total: 7 })
    }
  })

  it('is saved with every page, and goes on from there in another process', async () => {
    const { wallet, path } = await newWallet(2, genesis)
    const asked: number[] = []
    const cut: EntrySource = {
      page: async (from, limit) => {
        asked.push(from)
        if (from === 4) throw new Error('cut off')
        return ledger.page(from, limit)
      },
    }
    await expect(wallet.scan(cut, { limit: 2 })).rejects.toThrow('cut off')
    await expect(
      wallet.prepare(
        { kind: 'send', to: wallet.address, amount: 1n, fee: 0n },
        { expiresAtHeight: asHeight(9) },
      ),
    ).rejects.toMatchObject({ code: 'E_WALLET_NOT_SCANNED' })
    await wallet.close()

    const again = await openWallet(path)
    expect(again.cursor.entries).toBe(4)
    expect(again.balance().spendable).toBe(100n)
    const rest: number[] = []
    await again.scan(
      {
        page: (from, limit) => {
          rest.push(from)
          return ledger.page(from, limit)
        },
      },
      { limit: 2 },
    )
    expect(asked).toEqual([0, 2, 4])
    expect(rest).toEqual([4, 6])
    expect(again.balance().spendable).toBe(BOB)
  })

  it('ends when it is told to, between two pages', async () => {
    const { wallet } = await newWallet(1, genesis)
    const stop = new AbortController()
    const onProgress = ({ entries }: ScanProgress) => entries >= 3 && stop.abort(new Error('enough'))
    await expect(wallet.scan(ledger, { limit: 1, onProgress, signal: stop.signal })).rejects.toThrow('enough')
    expect(wallet.cursor.entries).toBe(3)
    await wallet.scan(ledger)
    expect(wallet.balance().spendable).toBe(ALICE)
  })

  it('lets others work meanwhile', async () => {
    const { wallet } = await newWallet(3, genesis)
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    await wallet.scan(ledger)
    isOver = true
    expect(turns).toBeGreaterThan(0)
  })
})

const firstPage = await ledger.page(0, 2)
const rootsAfter = (entries: number) => ({
  root: ledger.rootAfter(entries),
  entriesRoot: ledger.entriesRootAfter(entries),
})
const honest = JSON.stringify({ ...firstPage, total: 2, height: 2, ...rootsAfter(2) })

describe('a page', () => {
  const check = (text: string): string => {
    const read = readJson(pageShape, Buffer.from(text))
    if (!read.ok) return read.code
    const page = checkPage(read.value, { from: 0, limit: 2, genesisNotes: 2 })
    return page.ok ? 'page' : page.code
  }

  it('is read as it is', () => {
    expect(check(honest)).toBe('page')
  })

  it('that is something else is refused, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(check(text)).toBe('malformed')
      }),
    )
    fc.assert(
      fc.property(
        fc.nat(honest.length - 1),
        fc.constantFrom('0', '9', '"', '-', 'g', '[', ' ', '.'),
        (at, put) => {
          const changed = honest.slice(0, at) + put + honest.slice(at + 1)
          expect(['page', 'malformed', 'page-malformed']).toContain(check(changed))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('is refused with any field missing, or of another kind', () => {
    const page = JSON.parse(honest) as Record<string, unknown> & { entries: Record<string, unknown>[] }
    for (const name of Object.keys(page)) {
      for (const value of [undefined, null, -1, 1.5, 'x', [], {}, [1], 2 ** 60]) {
        if (name === 'entries' && Array.isArray(value) && value.length === 0) continue
        expect(
          check(JSON.stringify({ ...page, [name]: value })),
          `${name}: ${JSON.stringify(value)}`,
        ).not.toBe('page')
      }
    }
    const [first, second] = page.entries
    for (const name of Object.keys(first ?? {})) {
      for (const value of [undefined, null, -1, 1.5, 'x', [], {}, [1], 2 ** 60]) {
        const entries = [first, { ...second, [name]: value }]
        expect(check(JSON.stringify({ ...page, entries })), `${name}: ${JSON.stringify(value)}`).not.toBe(
          'page',
        )
      }
    }
  })
})

describe('a node', () => {
  it.each<[what: string, source: EntrySource, why: RegExp]>([
    [
      'another root',
      lying((page) => ({ ...page, root: page.root.replace(/^../, '01') })),
      /it lies, or one did/,
    ],
    [
      'transactions in another order',
      lying((page) => ({
        ...page,
        entries: [...page.entries].reverse().map((one, i) => ({ ...one, index: i })),
      })),
      /out of order|another chain/,
    ],
    [
      'indices in another order',
      lying((page) => ({ ...page, entries: [...page.entries].reverse() })),
      /has index/,
    ],
    [
      'other transactions than were asked for',
      lying((page) => ({ ...page, from: 1 })),
      /asked for transactions from 0/,
    ],
    [
      'an altered commitment',
      lying(
        entry(3, (one) => ({ ...one, commitments: one.commitments.map((hex) => hex.replace(/^../, '00')) })),
      ),
      /another chain/,
    ],
    [
      'commitments swapped',
      lying(entry(3, (one) => ({ ...one, commitments: [...one.commitments].reverse() }))),
      /another chain/,
    ],
    [
      'a commitment too few',
      lying(entry(3, (one) => ({ ...one, commitments: one.commitments.slice(1) }))),
      /two commitments/,
    ],
    [
      'a commitment that is no digest',
      lying(entry(3, (one) => ({ ...one, commitments: ['f'.repeat(64), 'f'.repeat(64)] }))),
      /canonical elements/,
    ],
    [
      'a nullifier in capitals',
      lying(entry(3, (one) => ({ ...one, nullifiers: one.nullifiers.map((hex) => `A${hex.slice(1)}`) }))),
      /canonical elements/,
    ],
    [
      'three nullifiers',
      lying(entry(3, (one) => ({ ...one, nullifiers: [...one.nullifiers, other(one.hash)] }))),
      /two nullifiers/,
    ],
    [
      'a short ciphertext',
      lying(entry(3, (one) => ({ ...one, ciphertexts: one.ciphertexts.map((text) => text.slice(4)) }))),
      /two ciphertexts of 1141 bytes/,
    ],
    [
      'a ciphertext in another spelling',
      lying(
        entry(3, (one) => ({
          ...one,
          ciphertexts: one.ciphertexts.map((text) => text.replace(/..=$/, 'AB=')),
        })),
      ),
      /two ciphertexts/,
    ],
    ['a hash that is none', lying(entry(3, (one) => ({ ...one, hash: '' }))), /its hash/],
    ['a height that goes back', lying(entry(5, (one) => ({ ...one, height: 1 }))), /out of order/],
    ['a height that is not final', lying(entry(6, (one) => ({ ...one, height: 99 }))), /above 7/],
    ['nothing', lying((page) => ({ ...page, entries: [] })), /nothing from 0 on, of 7/],
    ['more than there is', lying((page) => ({ ...page, total: 3 })), /7 transactions from 0 on, of 3/],
    ['more than a tree holds', lying((page) => ({ ...page, total: 2 ** 32 })), /too many/],
    ['a root that is none', lying((page) => ({ ...page, root: 'x' })), /its root/],
    [
      'another root of all transactions',
      lying((page) => ({ ...page, entriesRoot: other(page.entriesRoot) })),
      /it lies, or one did/,
    ],
    ['another height', lying(entry(6, (one) => ({ ...one, height: 6 }))), /it lies, or one did/],
    ['another hash', lying(entry(6, (one) => ({ ...one, hash: other(one.hash) }))), /it lies, or one did/],
    [
      'that another note was spent',
      lying(entry(6, (one) => ({ ...one, nullifiers: one.nullifiers.toReversed() }))),
      /it lies, or one did/,
    ],
    [
      'the same spent twice',
      lying(
        entry(3, (one) => ({
          ...one,
          nullifiers: [one.nullifiers[0] as string, one.nullifiers[0] as string],
        })),
      ),
      /spent already/,
    ],
  ])('that says %s is not believed, and nothing is kept of it', async (_what, source, why) => {
    const { wallet, path } = await newWallet(2, genesis)
    const failed = await wallet.scan(source).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failed).toMatchObject({
      code: 'E_WALLET_NODE',
      exitCode: 65,
      advice: { why: expect.stringMatching(why) },
    })
    expect(wallet.balance().spendable).toBe(0n)
    // An honest one is believed after that, by this wallet and by what is on the disk.
    await wallet.close()
    const again = await openWallet(path)
    await again.scan(ledger)
    expect(again.balance().spendable).toBe(BOB)
  })

  it('that lies late is undone as far as its last right root', async () => {
    const { wallet } = await newWallet(2, genesis)
    const early: EntrySource = {
      page: async (from, limit) => {
        const page = await ledger.page(from, Math.min(limit, 3 - from))
        return { ...page, total: 3, height: 3, ...rootsAfter(3) }
      },
    }
    await wallet.scan(early)
    expect(wallet.balance().spendable).toBe(60n)
    const wrong = lying(entry(5, (one) => ({ ...one, commitments: [...one.commitments].reverse() })))
    await expect(wallet.scan(wrong, { limit: 1 })).rejects.toMatchObject({ code: 'E_WALLET_NODE' })
    expect(wallet.cursor.entries).toBe(3)
    expect(wallet.balance().spendable).toBe(60n)
    await wallet.scan(ledger)
    expect(wallet.balance().spendable).toBe(BOB)
  })

  it('that hides a payment with roots that fit is found out when another one is asked', async () => {
    const { wallet, path } = await newWallet(2, genesis)
    const hidden = ledger.entries.map((one, i) =>
      i === 3 ? { ...one, ciphertexts: [new Uint8Array(1_141), new Uint8Array(1_141)] as const } : one,
    )
    const [, , , garbled] = hidden
    const ciphertexts = garbled?.ciphertexts.map((bytes) => Buffer.from(bytes).toString('base64')) ?? []
    const hiding = lying((page) => ({
      ...entry(3, (one) => ({ ...one, ciphertexts }))(page),
      entriesRoot: entriesRootOf(hidden),
    }))
    await wallet.scan(hiding, { limit: 2 })
    expect(wallet.balance().spendable).toBe(BOB - 40n)
    await wallet.close()
    const again = await openWallet(path)
    await expect(again.scan(ledger)).rejects.toMatchObject({
      code: 'E_WALLET_NODE',
      advice: { fix: expect.stringContaining('scan --again') },
    })
    await again.close()
    const anew = await openWallet(path, { again: genesis })
    await anew.scan(ledger)
    expect(anew.balance().spendable).toBe(BOB)
  })

  it('that shows the spending of a note twice is found out, also over two scans', async () => {
    const { wallet } = await newWallet(1, genesis)
    await wallet.scan(ledger)
    const source: EntrySource = {
      page: async (from) => {
        const [first] = (await ledger.page(0, 1)).entries
        return {
          ...(await ledger.page(from, 1)),
          total: 8,
          entries: [{ ...(first as EntryJson), index: 7, height: 7 }],
        }
      },
    }
    await expect(wallet.scan(source)).rejects.toMatchObject({
      code: 'E_WALLET_NODE',
      advice: { why: expect.stringMatching(/second time/) },
    })
  })

  it('that has less than the wallet is asked later', async () => {
    const { wallet } = await newWallet(1, genesis)
    await wallet.scan(ledger)
    await expect(wallet.scan(new FakeLedger(genesis))).rejects.toMatchObject({
      code: 'E_WALLET_NODE_BEHIND',
      exitCode: 69,
    })
    expect(wallet.balance().spendable).toBe(ALICE)
  })

  it('of a network with other first notes is not believed', async () => {
    const { wallet } = await newWallet(1, genesis.slice(1))
    await expect(wallet.scan(ledger)).rejects.toMatchObject({ code: 'E_WALLET_NODE' })
  })
})
