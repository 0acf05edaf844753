/** The wallet that a network on one machine starts with: notes of genesis that are worth something, and a passphrase that everybody knows. */
import { randomBytes } from 'node:crypto'
import { writeFileWhole } from '../../config/data-directory.ts'
import { deriveNoteRandomness } from '../../shielded/notes/keys.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { GenesisNote, ShieldedGenesis } from '../../types/shielded.ts'
import { MASTER_SEED_BYTES, walletKeys } from '../../wallet/keys.ts'
import { Wallet } from '../../wallet/wallet.ts'
import { demoWalletFiles } from '../node-location.ts'

/** Worth of its notes on the devnet: two, so that one payment may take both. */
export const DEMO_NOTE_VALUES: readonly bigint[] = [6_000n, 4_000n]
const PASSPHRASE = 'demonstration'
/** It keeps nothing secret: what it seals lies beside its passphrase. */
const KDF_COST = { N: 2 ** 10, r: 8, p: 1 }

/** A wallet that is not written yet. */
export interface DemoWallet {
  readonly seed: Uint8Array
  readonly notes: readonly GenesisNote[]
}

/** Keys from the system's random source, and the notes that genesis shall have for them. @param values what those are worth */
export function newDemoWallet(values: readonly bigint[]): DemoWallet {
  const seed = randomBytes(MASTER_SEED_BYTES)
  const { owner } = walletKeys(seed)
  return {
    seed,
    notes: values.map((value) => ({ owner, value, randomness: deriveNoteRandomness(randomBytes(32)) })),
  }
}

/** The shielded part of the genesis of a network on one machine. @param wallet absent: no notes */
export function localShielded(wallet: DemoWallet | null): ShieldedGenesis {
  return { notes: wallet?.notes ?? [], blockReward: 0n, minimumFee: 1n }
}

/** Writes it. @throws WalletError `E_WALLET_IO` */
export async function writeDemoWallet(
  folder: string,
  { seed, notes }: DemoWallet,
  genesisHash: GenesisHash,
): Promise<void> {
  const files = demoWalletFiles(folder)
  writeFileWhole(files.passphrase, `${PASSPHRASE}\n`)
  const made = { genesisHash, genesisNotes: notes, seed, kdfCost: KDF_COST }
  const wallet = await Wallet.create(files.wallet, PASSPHRASE, made)
  await wallet.close()
}
