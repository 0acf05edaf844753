/** Wallets for tests: cheap to open, with keys of a seed, and a prover that checks what it is to prove and proves nothing. */
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { firstViolation } from '../../../src/shielded/join-split/join-split.ts'
import { decodeStatement } from '../../../src/shielded/join-split/public-inputs.ts'
import { joinSplitTrace } from '../../../src/shielded/join-split/trace.ts'
import { decodeWitness } from '../../../src/shielded/join-split/witness.ts'
import { deriveNoteRandomness } from '../../../src/shielded/notes/keys.ts'
import { asHeight } from '../../../src/types/primitives.ts'
import type { GenesisNote } from '../../../src/types/shielded.ts'
import { walletKeys } from '../../../src/wallet/keys.ts'
import type { Order } from '../../../src/wallet/send/prepare.ts'
import type { Prover } from '../../../src/wallet/send/prover.ts'
import { type OpenOptions, Wallet } from '../../../src/wallet/wallet.ts'
import { seededBytes } from '../shielded/join-splits.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { type FakeLedger, GENESIS_HASH } from './fake-ledger.ts'

export const PASSPHRASE = 'correct horse battery staple'
/** A thousandth of what a wallet takes. */
export const CHEAP = { N: 2 ** 10, r: 1, p: 1 }

/** Proves nothing, but throws where the statement is untrue of the witness. */
export const proveNothing: Prover = async (witness, publicInputs) => {
  const statement = decodeStatement(publicInputs)
  if ('ok' in statement) throw new Error(statement.detail)
  const decoded = decodeWitness(witness, publicInputs)
  if (!decoded.ok) throw new Error(decoded.detail)
  const violated = firstViolation(joinSplitTrace(decoded.value), statement.elements)
  if (violated !== null) throw new Error(`${violated.constraint} in row ${violated.row}`)
  return new Uint8Array(0)
}

/** A note of genesis for the wallet of a seed. */
export function genesisNote(seed: number, value: bigint): GenesisNote {
  const { owner } = walletKeys(seededBytes(seed, 32))
  return { owner, value, randomness: deriveNoteRandomness(seededBytes(seed + Number(value), 32)) }
}

/** The wallet of a seed, at a path; who makes it closes it. */
export function makeWallet(
  seed: number,
  genesisNotes: readonly GenesisNote[],
  path: string,
): Promise<Wallet> {
  return Wallet.create(path, PASSPHRASE, {
    genesisHash: GENESIS_HASH,
    genesisNotes,
    seed: seededBytes(seed, 32),
    kdfCost: CHEAP,
  })
}

/** The wallet of a seed, in a directory of its own, as long as the test that runs now. */
export async function newWallet(
  seed: number,
  genesisNotes: readonly GenesisNote[] = [],
): Promise<{ wallet: Wallet; path: string }> {
  const path = join(temporaryDirectory(), 'wallet')
  const wallet = await makeWallet(seed, genesisNotes, path)
  onTestFinished(() => wallet.close())
  return { wallet, path }
}

/** Opens a wallet again, as long as the test that runs now. */
export async function openWallet(path: string, options: OpenOptions = {}): Promise<Wallet> {
  const wallet = await Wallet.open(path, PASSPHRASE, options)
  onTestFinished(() => wallet.close())
  return wallet
}

/** Makes what an order takes, one transaction after the other, each in the ledger and read before the next. */
export async function carryOut(
  wallet: Wallet,
  ledger: FakeLedger,
  order: Order,
  prove: Prover = proveNothing,
): Promise<number> {
  for (let count = 1; ; count++) {
    const expiresAtHeight = asHeight(ledger.height + 10)
    const { transaction, outgoing } = await wallet.prepare(order, { expiresAtHeight, prove })
    ledger.submit(transaction.transaction)
    await wallet.scan(ledger)
    if (outgoing.kind !== 'merge') return count
  }
}
