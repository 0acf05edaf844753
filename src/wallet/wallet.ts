/**
 * A wallet: its keys, its file and its tree of notes, and what can be done with them. Does one thing at a time; what it
 * knows is on the disk before a call returns. Speaks to no node: who reads pages and sends transactions hands them in.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { MlKem768 } from '../crypto/ml-kem.ts'
import { selectMlKem768 } from '../crypto/select.ts'
import { assert } from '../types/assert.ts'
import { COUNTER_MAX, type GenesisHash, type Height, type RequestKey } from '../types/primitives.ts'
import type { GenesisNote } from '../types/shielded.ts'
import { encodeAddress } from './address.ts'
import { DEFAULT_KDF_COST, type KdfCost } from './file/sealed-file.ts'
import { type Passphrase, WalletStorage } from './file/wallet-storage.ts'
import { emptyState, Follower, type FollowerOptions } from './follower.ts'
import { type HistoryLine, historyOf } from './history.ts'
import { MASTER_SEED_BYTES, type WalletKeys, walletKeys } from './keys.ts'
import type { Balance } from './own-notes.ts'
import { type EntrySource, type ScanOptions, type ScanProgress, scanChain } from './scan/scan-chain.ts'
import type { RandomBytes } from './send/build-transaction.ts'
import { type Order, type Prepared, prepareOrder } from './send/prepare.ts'
import { type Prover, proveHere } from './send/prover.ts'
import type { Cursor, Outgoing, OwnNote, WalletState } from './state.ts'
import { WalletError } from './wallet-error.ts'

/** What a new wallet is made of. */
export interface NewWallet {
  readonly genesisHash: GenesisHash
  /** The network's first notes, in order: genesis has them. */
  readonly genesisNotes: readonly GenesisNote[]
  /** 32 bytes; default: new ones from the system's random source. */
  readonly seed?: Uint8Array
  /** Cost of making a key out of the passphrase; less than the default is for tests. */
  readonly kdfCost?: KdfCost
}

/** How a wallet is opened. */
export interface OpenOptions {
  /** The network's first notes: everything that was read of the chain is forgotten, and {@link Wallet.scan} reads it anew. */
  readonly again?: readonly GenesisNote[]
  /** The network that is meant. */
  readonly genesisHash?: GenesisHash
}

/** With what transactions are made; defaults are right for all but tests. */
export interface PrepareOptions {
  /** The last height at which it is legal. */
  readonly expiresAtHeight: Height
  /**
   * Positions of notes: if all of them can be spent it spends of these only. What replaces a transaction that was handed
   * out spends what that one does, so that never both are final.
   */
  readonly spends?: readonly number[]
  /** Default: in this thread, which takes a second or so. */
  readonly prove?: Prover
  /** Default: `crypto.randomBytes`. */
  readonly random?: RandomBytes
}

export class Wallet {
  readonly #keys: WalletKeys
  readonly #genesisHash: GenesisHash
  readonly #storage: WalletStorage
  readonly #follower: Follower
  readonly #mlKem: MlKem768
  /** What is under way; the next call waits for it. */
  #turn: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | null = null

  private constructor(
    storage: WalletStorage,
    follower: Follower,
    parts: { keys: WalletKeys; genesisHash: GenesisHash; mlKem: MlKem768 },
  ) {
    this.#storage = storage
    this.#follower = follower
    this.#keys = parts.keys
    this.#genesisHash = parts.genesisHash
    this.#mlKem = parts.mlKem
  }

  /**
   * Makes a wallet and keeps it.
   * @param path of the file; its tree lies beside it, as `<path>.tree`
   * @throws WalletError `E_WALLET_EXISTS` (a wallet is never overwritten), `E_WALLET_IN_USE`, `E_WALLET_IO`
   */
  static async create(path: string, passphrase: Passphrase, options: NewWallet): Promise<Wallet> {
    const { genesisHash, genesisNotes, seed = randomBytes(MASTER_SEED_BYTES) } = options
    const kdfCost = options.kdfCost ?? DEFAULT_KDF_COST
    const storage = await WalletStorage.create(resolve(path), genesisHash, passphrase, kdfCost)
    return begun(storage, async () => {
      const state = emptyState(seed, genesisHash)
      const wallet = Wallet.#of(storage, state, (parts) => Follower.fromGenesis(parts, state, genesisNotes))
      await wallet.#follower.save()
      return wallet
    })
  }

  /**
   * Opens a wallet. Nobody else can until it is closed.
   * @throws WalletError `E_WALLET_MISSING`, `E_WALLET_PASSPHRASE`, `E_WALLET_DAMAGED`, `E_WALLET_VERSION`,
   *   `E_WALLET_PERMISSIONS`, `E_WALLET_IN_USE`, `E_WALLET_OTHER_NETWORK`, `E_WALLET_IO`
   */
  static async open(path: string, passphrase: Passphrase, options: OpenOptions = {}): Promise<Wallet> {
    const { again, genesisHash } = options
    const { storage, state } = await WalletStorage.open(resolve(path), passphrase, again !== undefined)
    return begun(storage, async () => {
      if (genesisHash !== undefined && genesisHash !== state.genesisHash) {
        throw otherNetwork(path, state.genesisHash, genesisHash)
      }
      const wallet = Wallet.#of(storage, state, (parts) =>
        again === undefined ? Follower.resume(parts, state) : Follower.fromGenesis(parts, state, again),
      )
      if (again !== undefined) await wallet.#follower.save()
      return wallet
    })
  }

  static #of(
    storage: WalletStorage,
    { seed, genesisHash }: Pick<WalletState, 'seed' | 'genesisHash'>,
    follow: (options: FollowerOptions) => Follower,
  ): Wallet {
    const mlKem = selectMlKem768()
    const keys = walletKeys(seed, mlKem)
    const persist = (state: WalletState) => storage.save(state)
    const follower = follow({ seed, keys, nodes: storage.nodes, persist })
    return new Wallet(storage, follower, { keys, genesisHash, mlKem })
  }

  /** The network that it is on. */
  get genesisHash(): GenesisHash {
    return this.#genesisHash
  }

  /** Where it is paid. Public. */
  get address(): string {
    return encodeAddress(this.#address, this.#genesisHash)
  }

  get #address() {
    return { owner: this.#keys.owner, kemPublicKey: this.#keys.kem.publicKey }
  }

  /** How far the chain was read. */
  get cursor(): Cursor {
    return this.#follower.cursor
  }

  /** Whether it was read to its end, with the right root there. What is known until then may be a node's invention. */
  get isConfirmed(): boolean {
    return this.#follower.isConfirmed
  }

  balance(): Balance {
    return this.#follower.own.balance()
  }

  /** All notes that it ever had, in order of position. */
  get notes(): readonly OwnNote[] {
    return this.#follower.own.notes
  }

  /** A transaction of this wallet's as the chain was read; undefined for a key that is none's. */
  outgoing(key: RequestKey): Outgoing | undefined {
    return this.#follower.own.outgoing.findLast((made) => made.key === key)
  }

  /** What happened, oldest first. */
  history(): readonly HistoryLine[] {
    const { notes, movements, outgoing } = this.#follower.own
    const began = notes.filter(({ entry }) => entry === null)
    return historyOf(
      began.reduce((sum, { value }) => sum + value, 0n),
      movements,
      outgoing,
    )
  }

  /** Calls come one after the other; one that fails keeps nobody waiting. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Reads the chain from where it was to its end. @throws as {@link scanChain} */
  scan(source: EntrySource, options: ScanOptions = {}): Promise<ScanProgress> {
    return this.#inTurn(() => scanChain(source, this.#follower, options))
  }

  /**
   * Makes the next transaction of an order and remembers it, with the notes that it spends, until it is final or expired:
   * so that nothing is paid twice, whatever happens after. Sending it is the caller's (send/node-api.ts); where `outgoing.kind`
   * is `merge`, the order is given once more when that is final.
   * @throws WalletError `E_WALLET_NOT_SCANNED`, and as {@link prepareOrder}
   */
  prepare(order: Order, options: PrepareOptions): Promise<Prepared> {
    const { expiresAtHeight, spends, prove = proveHere, random = randomBytes } = options
    return this.#inTurn(async () => {
      const { own, tree, isConfirmed } = this.#follower
      if (!isConfirmed) {
        throw new WalletError('E_WALLET_NOT_SCANNED', 'the chain was not read to its end', {
          why: 'notes that are spent already would be taken for money',
          fix: 'scan first, with "hypermesh wallet scan"',
        })
      }
      assert(expiresAtHeight <= COUNTER_MAX, `no transaction expires at height ${expiresAtHeight}`)
      const tools = { spendingKey: this.#keys.spendingKey, mlKem: this.#mlKem, random, prove }
      const view = {
        genesisHash: this.#genesisHash,
        address: this.#address,
        tree,
        balance: own.balance(),
        spendable: limitedTo(spends, own.spendable()),
      }
      const prepared = await prepareOrder(view, order, expiresAtHeight, tools)
      own.addOutgoing(prepared.outgoing)
      await this.#follower.save()
      return prepared
    })
  }

  /** A node refused a transaction: its notes can be spent again. @param key as {@link prepare} gave it */
  markRefused(key: RequestKey): Promise<void> {
    return this.#inTurn(async () => {
      this.#follower.own.refuse(key)
      await this.#follower.save()
    })
  }

  /** Others can open it from here on. Twice is the same as once. */
  close(): Promise<void> {
    this.#closed ??= this.#inTurn(() => this.#storage.close())
    return this.#closed
  }
}

function otherNetwork(path: string, is: GenesisHash, meant: GenesisHash): WalletError {
  return new WalletError('E_WALLET_OTHER_NETWORK', `${path} is a wallet of another network`, {
    why: `its network has the genesis hash ${is}, the one that is meant ${meant}`,
    fix: 'name another wallet with --wallet, or make one for this network with "hypermesh wallet new"',
  })
}

/** A note that is gone already keeps whatever spends it from becoming final. */
function limitedTo(
  positions: readonly number[] | undefined,
  spendable: readonly OwnNote[],
): readonly OwnNote[] {
  const notes = spendable.filter(({ position }) => positions?.includes(position))
  return notes.length > 0 && notes.length === positions?.length ? notes : spendable
}

/** What fails on the way to an open wallet leaves no lock behind. */
async function begun(storage: WalletStorage, act: () => Promise<Wallet>): Promise<Wallet> {
  try {
    return await act()
  } catch (error) {
    await storage.close()
    throw error
  }
}
