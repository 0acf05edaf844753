/** The wallet on disk: under its passphrase, over restarts, and every way in which it cannot be opened has its own words. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GenesisHash } from '../../../src/types/primitives.ts'
import { openSealedFile, readSealedFile } from '../../../src/wallet/file/sealed-file.ts'
import { decodeState, encodeState } from '../../../src/wallet/file/state-json.ts'
import { Wallet } from '../../../src/wallet/wallet.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { FakeLedger, GENESIS_HASH } from '../../support/wallet/fake-ledger.ts'
import {
  CHEAP,
  carryOut,
  genesisNote,
  newWallet,
  openWallet,
  PASSPHRASE,
} from '../../support/wallet/wallets.ts'

const genesis = [genesisNote(1, 1_000n), genesisNote(2, 50n), genesisNote(1, 300n)]

/** A wallet with something in it, closed. */
async function usedWallet(): Promise<{ path: string; ledger: FakeLedger }> {
  const ledger = new FakeLedger(genesis)
  const { wallet, path } = await newWallet(1, genesis)
  await wallet.scan(ledger)
  await carryOut(wallet, ledger, { kind: 'send', to: wallet.address, amount: 1_100n, fee: 3n })
  await wallet.close()
  return { path, ledger }
}

type Json = Record<string, unknown> & { kdf: Record<string, unknown> }

function rewrite(path: string, change: (file: Json) => unknown): void {
  const changed = change(JSON.parse(readFileSync(path, 'utf8')) as Json)
  writeFileSync(path, JSON.stringify(changed))
}

function toFolder(path: string): void {
  rmSync(path)
  mkdirSync(path)
}

function withOtherStart(text: string): string {
  return `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`
}

describe('a wallet file', () => {
  it('has all that the wallet knew', async () => {
    const { path, ledger } = await usedWallet()
    const again = await openWallet(path)
    expect(again.balance()).toEqual({ spendable: 1_297n, held: 0n, expected: 0n })
    expect(again.notes.map(({ position, value, spentIn }) => [position, value, spentIn])).toEqual([
      [0, 1_000n, 0],
      [2, 300n, 0],
      ...again.notes.slice(2).map(({ position, value }) => [position, value, null]),
    ])
    expect(again.history()).toMatchObject([
      { kind: 'received', hash: null },
      { kind: 'send', amount: 1_100n, fee: 3n },
    ])
    await again.scan(ledger)
    expect(again.cursor).toEqual({ entries: 1, height: 1 })
  })

  it('is readable by its owner only, and says nothing in the open', async () => {
    const { path } = await usedWallet()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}.tree`).mode & 0o777).toBe(0o600)
    const text = readFileSync(path, 'utf8')
    for (const secret of ['seed', 'notes', '1100', Buffer.from(seededBytes(1, 32)).toString('base64url')]) {
      expect(text).not.toContain(secret)
    }
    expect(Object.keys(JSON.parse(text) as object).sort()).toEqual(
      ['checksum', 'cipher', 'content', 'format', 'kdf', 'network', 'nonce', 'version'].sort(),
    )
    expect(readdirSync(dirname(path)).sort()).toEqual(['wallet', 'wallet.tree'])
  })

  it('is sealed anew each time, in blocks that do not count its notes', async () => {
    const { wallet, path } = await newWallet(1, genesis)
    const before = JSON.parse(readFileSync(path, 'utf8')) as Json
    await wallet.scan(new FakeLedger(genesis))
    const after = JSON.parse(readFileSync(path, 'utf8')) as Json
    expect(after['nonce']).not.toBe(before['nonce'])
    expect(String(after['content'])).toHaveLength(String(before['content']).length)
    expect(after.kdf).toEqual(before.kdf)
  })

  it('is never written over', async () => {
    const { path } = await usedWallet()
    const options = { genesisHash: GENESIS_HASH, genesisNotes: [], kdfCost: CHEAP }
    const tree = readFileSync(`${path}.tree`)
    await expect(Wallet.create(path, PASSPHRASE, options)).rejects.toMatchObject({
      code: 'E_WALLET_EXISTS',
      exitCode: 77,
    })
    expect(readFileSync(`${path}.tree`).equals(tree)).toBe(true)
    expect((await openWallet(path)).balance().spendable).toBe(1_297n)
  })

  it('is open in one process at a time', async () => {
    const { path } = await usedWallet()
    const first = await openWallet(path)
    await expect(Wallet.open(path, PASSPHRASE)).rejects.toMatchObject({
      code: 'E_WALLET_IN_USE',
      exitCode: 73,
      message: expect.stringContaining(`process ${process.pid}`),
    })
    await first.close()
    await first.close()
    await (await openWallet(path)).close()
    // A process that was killed leaves its lock; no process has this number.
    writeFileSync(`${path}.lock`, '4194305\n')
    await (await openWallet(path)).close()
    writeFileSync(`${path}.lock`, '')
    await openWallet(path)
  })

  it('is the same by whatever link it is named, which stays one', async () => {
    const { path, ledger } = await usedWallet()
    const link = join(temporaryDirectory(), 'link.json')
    symlinkSync(path, link)
    const first = await openWallet(link)
    await expect(Wallet.open(path, PASSPHRASE)).rejects.toMatchObject({ code: 'E_WALLET_IN_USE' })
    await first.scan(ledger)
    await first.close()
    expect(readlinkSync(link)).toBe(path)
    expect(readdirSync(dirname(link))).toEqual(['link.json'])
    await openWallet(path)
  })

  it.each<[what: string, spoil: (path: string) => void, code: string, why: RegExp]>([
    ['missing', (path) => rmSync(path), 'E_WALLET_MISSING', /^$/],
    ['a folder', toFolder, 'E_WALLET_MISSING', /not a file/],
    ['open to others', (path) => chmodSync(path, 0o644), 'E_WALLET_PERMISSIONS', /0644/],
    ['empty', (path) => writeFileSync(path, ''), 'E_WALLET_DAMAGED', /not JSON/],
    ['another file', (path) => writeFileSync(path, '{"a":1}'), 'E_WALLET_DAMAGED', /format/],
    ['cut off', (path) => truncateSync(path, 3_000), 'E_WALLET_DAMAGED', /not JSON/],
    [
      'of a later version',
      (path) => rewrite(path, (file) => ({ ...file, version: 2 })),
      'E_WALLET_VERSION',
      /version 1/,
    ],
    [
      'changed in its content',
      (path) => rewrite(path, (file) => ({ ...file, content: withOtherStart(String(file['content'])) })),
      'E_WALLET_DAMAGED',
      /checksum/,
    ],
    [
      'without its content',
      (path) => rewrite(path, (file) => ({ ...file, content: '' })),
      'E_WALLET_DAMAGED',
      /checksum/,
    ],
    [
      'of another network in the open',
      (path) => rewrite(path, (file) => ({ ...file, network: 'cd'.repeat(32) })),
      'E_WALLET_DAMAGED',
      /checksum/,
    ],
    [
      'of an unknown way to make the key',
      (path) => rewrite(path, (file) => ({ ...file, kdf: { ...file.kdf, name: 'md5' } })),
      'E_WALLET_DAMAGED',
      /kdf\.name/,
    ],
    [
      'costly beyond all bounds',
      (path) => rewrite(path, (file) => ({ ...file, kdf: { ...file.kdf, N: 2 ** 30 } })),
      'E_WALLET_DAMAGED',
      /memory/,
    ],
    [
      'of a cost that is none',
      (path) => rewrite(path, (file) => ({ ...file, kdf: { ...file.kdf, N: 2 ** 10 + 1 } })),
      'E_WALLET_DAMAGED',
      /not of scrypt/,
    ],
    [
      'cheap beyond all bounds',
      (path) => rewrite(path, (file) => ({ ...file, kdf: { ...file.kdf, N: 2 } })),
      'E_WALLET_DAMAGED',
      /kdf\.N/,
    ],
    ['without its tree', (path) => rmSync(`${path}.tree`), 'E_WALLET_DAMAGED', /its tree has 8 nodes/],
    ['with a short tree', (path) => truncateSync(`${path}.tree`, 64), 'E_WALLET_DAMAGED', /nodes/],
    [
      'with a tree of noise',
      (path) => writeFileSync(`${path}.tree`, Buffer.alloc(4_096, 0xff)),
      'E_WALLET_DAMAGED',
      /no hash/,
    ],
    [
      'with a tree of zeros',
      (path) => writeFileSync(`${path}.tree`, Buffer.alloc(4_096)),
      'E_WALLET_DAMAGED',
      /root/,
    ],
  ])('that is %s is refused with words of its own', async (_what, spoil, code, why) => {
    const { path } = await usedWallet()
    spoil(path)
    const error = await Wallet.open(path, PASSPHRASE).then(
      () => null,
      (failed: { code: string; advice: { why?: string; fix?: string } }) => failed,
    )
    expect(error?.code).toBe(code)
    expect(error?.advice.why ?? '').toMatch(why)
    expect(error?.advice.fix ?? '').not.toBe('')
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  it('does not open with another passphrase, and says nothing of it', async () => {
    const { path } = await usedWallet()
    for (const passphrase of ['', 'wrong', PASSPHRASE.toUpperCase(), `${PASSPHRASE} `]) {
      const error = await Wallet.open(path, passphrase).then(
        () => null,
        (failed: Error & { code: string }) => failed,
      )
      expect(error?.code).toBe('E_WALLET_PASSPHRASE')
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('orrect')
    }
  })

  it('takes a passphrase in either spelling of its letters', async () => {
    const path = join(temporaryDirectory(), 'wallet')
    const options = { genesisHash: GENESIS_HASH, genesisNotes: [], kdfCost: CHEAP }
    await (await Wallet.create(path, 'geh\u00f6lz im nebel', options)).close()
    await (await Wallet.open(path, 'geho\u0308lz im nebel')).close()
  })

  it('asks for its passphrase only when it can be of use', async () => {
    const { path } = await usedWallet()
    let asked = 0
    const ask = async (): Promise<string> => {
      asked++
      return PASSPHRASE
    }
    const options = { genesisHash: GENESIS_HASH, genesisNotes: [], kdfCost: CHEAP }
    await expect(Wallet.create(path, ask, options)).rejects.toMatchObject({ code: 'E_WALLET_EXISTS' })
    await expect(Wallet.open(`${path}2`, ask)).rejects.toMatchObject({ code: 'E_WALLET_MISSING' })
    expect(asked).toBe(0)
    await (await Wallet.open(path, ask)).close()
    await (await Wallet.create(`${path}2`, ask, options)).close()
    expect(asked).toBe(2)
    const failing = () => Promise.reject(new Error('nobody there'))
    await expect(Wallet.open(path, failing)).rejects.toThrow('nobody there')
    await openWallet(path)
  })

  it('has keys of its own unless it is given a seed', async () => {
    const folder = temporaryDirectory()
    const options = { genesisHash: GENESIS_HASH, genesisNotes: genesis, kdfCost: CHEAP }
    const addresses: string[] = []
    for (const name of ['a', 'b']) {
      const wallet = await Wallet.create(join(folder, name), PASSPHRASE, options)
      addresses.push(wallet.address)
      await wallet.close()
      expect((await openWallet(join(folder, name))).address).toBe(wallet.address)
    }
    expect(addresses[0]).not.toBe(addresses[1])
  })

  it('of another network than is meant is left alone', async () => {
    const { path } = await usedWallet()
    const before = readFileSync(path)
    await expect(
      Wallet.open(path, PASSPHRASE, { genesisHash: 'cd'.repeat(32) as GenesisHash, again: [] }),
    ).rejects.toMatchObject({ code: 'E_WALLET_OTHER_NETWORK' })
    expect(readFileSync(path).equals(before)).toBe(true)
    await openWallet(path)
  })

  it('is read anew where its tree is lost, and keeps what it sent', async () => {
    const { path, ledger } = await usedWallet()
    rmSync(`${path}.tree`)
    const again = await openWallet(path, { again: genesis })
    expect(again.cursor.entries).toBe(0)
    expect(again.balance().spendable).toBe(1_300n - 1_300n)
    expect(again.balance().held).toBe(1_300n)
    await again.scan(ledger)
    expect(again.balance()).toEqual({ spendable: 1_297n, held: 0n, expected: 0n })
    expect(again.history()).toMatchObject([
      { kind: 'received' },
      { kind: 'send', state: 'final', amount: 1_100n },
    ])
  })

  it('is as it was before a page or after it, wherever a crash comes', async () => {
    const ledger = new FakeLedger(genesis)
    const { wallet, path } = await newWallet(1, genesis)
    const begun = readFileSync(path)
    await wallet.scan(ledger)
    await carryOut(wallet, ledger, { kind: 'send', to: wallet.address, amount: 1_100n, fee: 3n })
    await wallet.close()
    const done = readFileSync(path)
    const tree = readFileSync(`${path}.tree`)
    // The tree was written and the wallet file not, in whole or in part, with what else a crash may leave.
    for (const length of [3 * 32 + 32, 6 * 32 + 5, tree.length]) {
      writeFileSync(path, begun)
      writeFileSync(`${path}.tree`, Buffer.concat([tree.subarray(0, length), Buffer.alloc(99, 7)]))
      writeFileSync(`${path}.tmp`, done.subarray(0, 1_000))
      const again = await openWallet(path)
      expect(again.cursor.entries).toBe(0)
      await again.scan(ledger)
      expect(again.balance().spendable).toBe(1_297n)
      await again.close()
      expect(readFileSync(`${path}.tree`).subarray(0, tree.length).equals(tree)).toBe(true)
    }
  })

  it('that cannot be written says so, and is written whole when it can be again', async () => {
    const ledger = new FakeLedger(genesis)
    const { wallet, path } = await newWallet(1, genesis)
    await wallet.scan(ledger)
    await carryOut(wallet, ledger, { kind: 'send', to: wallet.address, amount: 10n, fee: 0n })
    const { wallet: late, path: latePath } = await newWallet(1, genesis)
    mkdirSync(`${latePath}.tmp`)
    await expect(late.scan(ledger)).rejects.toMatchObject({ code: 'E_WALLET_IO', exitCode: 73 })
    rmSync(`${latePath}.tmp`, { recursive: true })
    await late.scan(ledger)
    await Promise.all([wallet.close(), late.close()])
    const [a, b] = [await openWallet(path), await openWallet(latePath)]
    expect([a.cursor, a.balance()]).toEqual([b.cursor, b.balance()])
  })

  it('cannot be made where nothing can be written', async () => {
    const options = { genesisHash: GENESIS_HASH, genesisNotes: [], kdfCost: CHEAP }
    const path = join(temporaryDirectory(), 'nowhere', 'wallet')
    await expect(Wallet.create(path, PASSPHRASE, options)).rejects.toMatchObject({
      code: 'E_WALLET_IO',
      exitCode: 73,
    })
  })
})

describe('what is sealed', () => {
  it('is read strictly', async () => {
    const { path } = await usedWallet()
    const { content } = await openSealedFile(
      path,
      readSealedFile(path, readFileSync(path, 'utf8')),
      PASSPHRASE,
    )
    const state = decodeState(content)
    if (state === null) throw new Error('no state')
    expect(decodeState(encodeState(state))).toEqual(state)
    const json = JSON.parse(Buffer.from(content).toString('utf8')) as Record<string, unknown>
    for (const wrong of [
      { ...json, more: 1 },
      { ...json, seed: 'AAAA' },
      { ...json, root: 'x' },
      { ...json, cursor: { entries: -1, height: 0 } },
      { ...json, notes: [{}] },
      null,
    ]) {
      expect(decodeState(Buffer.from(JSON.stringify(wrong)))).toBeNull()
    }
    expect(decodeState(Buffer.from('{'))).toBeNull()
  })
})
