/**
 * One process at a time has a wallet open: two would each forget what the other did. A file beside the wallet names the
 * process; one that was left by a process that is gone is taken over.
 */

import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, unlink } from 'node:fs/promises'
import { WalletError } from '../wallet-error.ts'

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The process that the lock names; null when it names none that runs. */
async function holder(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const pid = /^\d{1,10}\n$/.test(text) ? Number(text) : null
  return pid !== null && isProcess(pid) ? pid : null
}

/** Makes the file with its content in one step; false when the name is taken. */
async function take(path: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(`${process.pid}\n`)
  } finally {
    await file.close()
  }
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(temporary)
  }
}

/** Takes away the lock of a process that is gone. Aside first: another may have taken it over since it was looked at. */
async function removeStale(lock: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`
  try {
    await rename(lock, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await holder(aside)) !== null) await link(aside, lock).catch(() => undefined)
  await rm(aside, { force: true })
}

/**
 * Locks a wallet for this process.
 * @param path of the wallet file
 * @returns gives it free
 * @throws WalletError `E_WALLET_IN_USE`; Error of the file system
 */
export async function lockWallet(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await take(lock)) return () => rm(lock, { force: true })
    const pid = await holder(lock)
    if (pid !== null) {
      throw new WalletError('E_WALLET_IN_USE', `${path} is in use by process ${pid}`, {
        why: 'one process at a time has a wallet open',
        fix: `wait until it is done; if no such process uses the wallet, delete ${lock}`,
      })
    }
    await removeStale(lock)
  }
  throw new WalletError('E_WALLET_IN_USE', `${path} is being opened by others at this moment`, {
    fix: 'try again',
  })
}
