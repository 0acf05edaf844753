/**
 * Where a wallet lies: the sealed file and, beside it, the nodes of its tree. The file says how many nodes count; it is
 * replaced after they are written, so that what is read is always one moment of the wallet.
 */
import { assert } from '../../types/assert.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { WalletState } from '../state.ts'
import { FileNodeStore } from '../tree/file-node-store.ts'
import type { NodeStore } from '../tree/node-store.ts'
import { nodesOf } from '../tree/note-tree.ts'
import { WalletError } from '../wallet-error.ts'
import {
  type KdfCost,
  newSealingKey,
  openSealedFile,
  readSealedFile,
  SEALED_FILE_BYTES_MAX,
  type SealingKey,
  sealFile,
} from './sealed-file.ts'
import { decodeState, encodeState } from './state-json.ts'
import {
  createWalletFile,
  findWalletFile,
  onDisk,
  readWalletFile,
  replaceWalletFile,
  requireAbsent,
} from './wallet-file.ts'
import { lockWallet } from './wallet-lock.ts'

/** Of the file beside a wallet that holds its tree. */
export function treeFileOf(path: string): string {
  return `${path}.tree`
}

/** A passphrase, or who asks for it: not before it is known that there is something to open, or room for something new. */
export type Passphrase = string | (() => Promise<string>)

function saidBy(passphrase: Passphrase): string | Promise<string> {
  return typeof passphrase === 'string' ? passphrase : passphrase()
}

export class WalletStorage {
  readonly #path: string
  readonly #key: SealingKey
  readonly #nodes: FileNodeStore
  readonly #unlock: () => Promise<void>
  #isNew: boolean

  private constructor(
    path: string,
    parts: { key: SealingKey; nodes: FileNodeStore; unlock: () => Promise<void>; isNew: boolean },
  ) {
    this.#path = path
    this.#key = parts.key
    this.#nodes = parts.nodes
    this.#unlock = parts.unlock
    this.#isNew = parts.isNew
  }

  /**
   * Room for a new wallet; nothing is there until the first {@link save}.
   * @throws WalletError `E_WALLET_EXISTS`, `E_WALLET_IN_USE`, `E_WALLET_IO`
   */
  static create(
    path: string,
    network: GenesisHash,
    passphrase: Passphrase,
    cost: KdfCost,
  ): Promise<WalletStorage> {
    return locked(path, async (unlock) => {
      await requireAbsent(path)
      const key = await newSealingKey(network, await saidBy(passphrase), cost)
      return new WalletStorage(path, { key, nodes: await openNodes(path, 0), unlock, isNew: true })
    })
  }

  /**
   * Opens a wallet.
   * @param isAgain the tree is to be made anew: what is there of it does not matter
   * @throws WalletError `E_WALLET_MISSING`, `E_WALLET_PASSPHRASE`, `E_WALLET_DAMAGED`, `E_WALLET_VERSION`,
   *   `E_WALLET_PERMISSIONS`, `E_WALLET_IN_USE`, `E_WALLET_IO`
   */
  static async open(
    named: string,
    passphrase: Passphrase,
    isAgain: boolean,
  ): Promise<{ storage: WalletStorage; state: WalletState }> {
    const path = await findWalletFile(named)
    return locked(path, async (unlock) => {
      const file = readSealedFile(path, await readWalletFile(path))
      const { key, content } = await openSealedFile(path, file, await saidBy(passphrase))
      const state = decodeState(content)
      if (state === null || state.genesisHash !== file.open.network) {
        throw new WalletError('E_WALLET_DAMAGED', `what ${path} holds is no wallet's content`, {
          why: 'it opens, but this program did not write it',
          fix: 'take the file from your backup',
        })
      }
      const notes = state.genesisNotes + 2 * state.cursor.entries
      const nodes = await openNodes(path, isAgain ? 0 : nodesOf(notes))
      return { storage: new WalletStorage(path, { key, nodes, unlock, isNew: false }), state }
    })
  }

  /** Of the tree. */
  get nodes(): NodeStore {
    return this.#nodes
  }

  /** All of it is on the disk when it returns. @throws WalletError `E_WALLET_IO`, of a new one `E_WALLET_EXISTS` */
  async save(state: WalletState): Promise<void> {
    assert(
      this.#nodes.count === nodesOf(state.genesisNotes + 2 * state.cursor.entries),
      'the tree is that of the cursor',
    )
    const content = encodeState(state)
    // Before the old one is gone: the seed is in nothing else.
    assert(decodeState(content) !== null, 'what is written of a wallet can be read')
    const text = sealFile(this.#key, content)
    if (text.length > SEALED_FILE_BYTES_MAX) throw tooLarge(this.#path)
    await onDisk(`the tree ${treeFileOf(this.#path)} cannot be written`, () => this.#nodes.flush())
    await (this.#isNew ? createWalletFile(this.#path, text) : replaceWalletFile(this.#path, text))
    this.#isNew = false
  }

  async close(): Promise<void> {
    await this.#nodes.close()
    await this.#unlock()
  }
}

/** Before anything is written: the file that is there can still be opened. */
function tooLarge(path: string): WalletError {
  return new WalletError('E_WALLET_IO', `the wallet ${path} would become too large to be opened`, {
    why: `it may have ${SEALED_FILE_BYTES_MAX} bytes`,
    fix: 'send what is in it to a new wallet',
  })
}

/** The lock is given free again when opening fails. */
async function locked<T>(path: string, act: (unlock: () => Promise<void>) => Promise<T>): Promise<T> {
  const unlock = await onDisk(`the wallet ${path} cannot be locked`, () => lockWallet(path))
  try {
    return await act(unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

async function openNodes(path: string, count: number): Promise<FileNodeStore> {
  const nodes = await onDisk(`the tree ${treeFileOf(path)} cannot be opened`, () =>
    FileNodeStore.open(treeFileOf(path), count),
  )
  if (nodes !== null) return nodes
  throw new WalletError('E_WALLET_DAMAGED', `${treeFileOf(path)} is missing or too short`, {
    why: `the wallet has read so far that its tree has ${count} nodes`,
    fix: 'read the chain anew with "hypermesh wallet scan --again"; keys and notes are safe in the wallet itself',
  })
}
