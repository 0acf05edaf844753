/** A wallet that is named by a link is the one that the link leads to: one lock, one file. */
import { lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Wallet } from '../../../src/wallet/wallet.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { FakeLedger } from '../../support/wallet/fake-ledger.ts'
import { genesisNote, makeWallet, openWallet, PASSPHRASE } from '../../support/wallet/wallets.ts'

const genesis = [genesisNote(1, 100n)]

describe('a wallet that is named by a link', () => {
  it('is open in one process at a time, by whatever name', async () => {
    const folder = temporaryDirectory()
    const [path, link] = [join(folder, 'wallet'), join(folder, 'link')]
    const wallet = await makeWallet(1, genesis, path)
    symlinkSync(path, link)
    await expect(Wallet.open(link, PASSPHRASE)).rejects.toMatchObject({ code: 'E_WALLET_IN_USE' })
    await wallet.close()
    await openWallet(link)
    await expect(Wallet.open(path, PASSPHRASE)).rejects.toMatchObject({ code: 'E_WALLET_IN_USE' })
  })

  it('is written where it is: the link stays one', async () => {
    const folder = temporaryDirectory()
    mkdirSync(join(folder, 'disk'))
    const [path, link] = [join(folder, 'disk', 'wallet'), join(folder, 'link')]
    await (await makeWallet(1, genesis, path)).close()
    symlinkSync(path, link)
    const ledger = new FakeLedger(genesis)
    const wallet = await openWallet(link)
    await wallet.scan(ledger)
    await wallet.close()
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect((await openWallet(path)).isConfirmed).toBe(true)
  })
})
