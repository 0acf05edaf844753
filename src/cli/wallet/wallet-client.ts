/** What the wallet's commands do: open the file, ask the node, carry out what was ordered, with progress on a terminal. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defaultDataHome } from '../../config/data-directory.ts'
import { SIGNATURE_CONTEXTS } from '../../crypto/contexts.ts'
import { makeFolders } from '../../files/make-folders.ts'
import {
  ADDRESS_PREFIX,
  carryOut,
  NodeApi,
  type OpenOptions,
  type Order,
  type Outgoing,
  type ScanProgress,
  ThreadProver,
  Wallet,
} from '../../wallet/index.ts'
import { type ApiOptions, askApi } from '../api-client.ts'
import { CliError, usageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { apiAddress } from '../node-location.ts'
import { readTextFile } from '../parse-options.ts'
import { nextPlace, openSigner } from '../stake-client.ts'
import { newPassphrase, openingPassphrase, type PassphraseOptions } from './passphrase.ts'
import { Progress } from './progress.ts'
import { type NetworkOptions, type WalletNetwork, walletNetwork } from './wallet-network.ts'

export interface WalletOptions extends ApiOptions, PassphraseOptions, NetworkOptions {
  readonly wallet?: string
}

const ANSWER_DEADLINE_MS = 10_000

/** Where the wallet is unless told otherwise. */
export function walletPath({ wallet }: Pick<WalletOptions, 'wallet'>): string {
  return wallet ?? join(defaultDataHome(), 'wallet.json')
}

/** Opens the wallet for as long as `act` takes. @throws WalletError; CliError for the passphrase */
export async function withWallet<T>(
  options: WalletOptions,
  act: (wallet: Wallet) => Promise<T>,
  opening: OpenOptions = {},
): Promise<T> {
  const wallet = await Wallet.open(walletPath(options), () => openingPassphrase(options), opening)
  try {
    return await act(wallet)
  } finally {
    await wallet.close()
  }
}

/** Makes a wallet. @returns what may be shown of it */
export async function makeWallet(
  options: WalletOptions,
): Promise<{ path: string; network: WalletNetwork; address: string }> {
  const path = walletPath(options)
  const network = await walletNetwork(options)
  try {
    makeFolders(dirname(path))
  } catch (error) {
    throw new CliError('E_FOLDER_WRITE', `${dirname(path)} cannot be made`, {
      why: (error as Error).message,
      fix: 'choose another path with --wallet, or correct the owner and mode of the folder',
      exitCode: EXIT.dataDirectory,
      cause: error,
    })
  }
  const wallet = await Wallet.create(path, () => newPassphrase(options), network)
  try {
    return { path, network, address: wallet.address }
  } finally {
    await wallet.close()
  }
}

/** @throws CliError `E_NO_ANSWER` (69) at once when nobody is there, not after trying for a while */
async function nodeOf(options: WalletOptions, wallet: Wallet): Promise<NodeApi> {
  const apis = [apiAddress(options)]
  await askApi(options, '/v1/status')
  return new NodeApi({ apis, callDeadlineMs: ANSWER_DEADLINE_MS }, wallet.genesisHash)
}

/** Reads the chain to its end. @param isAgain from its beginning */
export async function scanWallet(
  options: WalletOptions,
  isAgain: boolean,
): Promise<{
  scan: ScanProgress
  wallet: Pick<Wallet, 'cursor' | 'isConfirmed'> & { balance: ReturnType<Wallet['balance']> }
}> {
  const network = isAgain ? await walletNetwork(options) : undefined
  const opening =
    network === undefined ? {} : { again: network.genesisNotes, genesisHash: network.genesisHash }
  const progress = new Progress()
  return withWallet(
    options,
    async (wallet) => {
      try {
        const scan = await wallet.scan(await nodeOf(options, wallet), {
          onProgress: ({ entries, total }) => progress.bar('reading', entries, total),
        })
        const { cursor, isConfirmed } = wallet
        return { scan, wallet: { cursor, isConfirmed, balance: wallet.balance() } }
      } finally {
        progress.done()
      }
    },
    opening,
  )
}

/** An address as it is given: itself, or a file that holds it. @throws CliError `E_USAGE` (64), `E_FILE` (65) */
export function addressFrom(text: string): string {
  if (text.startsWith(ADDRESS_PREFIX)) return text
  if (existsSync(text)) return readTextFile(text, 'address file').trim()
  throw usageError(
    '--to names neither an address nor a file',
    `an address begins with "${ADDRESS_PREFIX}"; check the path if it is meant to be a file`,
  )
}

/** Carries out an order, in as many transactions as it takes. @param say a line that is worth keeping */
export async function performOrder(
  options: WalletOptions,
  orderOf: (wallet: Wallet) => Promise<Order>,
  say: (line: string) => void,
): Promise<readonly Outgoing[]> {
  const progress = new Progress()
  const prover = new ThreadProver()
  try {
    return await withWallet(options, async (wallet) =>
      carryOut(wallet, await nodeOf(options, wallet), await orderOf(wallet), {
        prove: prover.prove,
        onScan: ({ entries, total }) => progress.bar('reading', entries, total),
        onProving: () => progress.busy('proving'),
        onSent: () => progress.busy('waiting until it is final'),
        onFinal: ({ outgoing, remaining }) => {
          progress.done()
          if (outgoing.kind !== 'merge') return
          const after = `${remaining} more ${remaining === 1 ? 'transaction' : 'transactions'} to come`
          say(`two notes merged into one of ${outgoing.amount}: ${after}`)
        },
      }),
    )
  } finally {
    progress.done()
    await prover.close()
  }
}

/**
 * A deposit from the account of a data directory, signed with its key.
 * @throws as {@link openSigner} and {@link nextPlace}
 */
export async function depositOrder(options: WalletOptions, amount: bigint, fee: bigint): Promise<Order> {
  const signer = await openSigner(options)
  const { sequence } = await nextPlace(options, signer)
  const { keyPair } = signer.identity
  return {
    kind: 'deposit',
    from: signer.id,
    amount,
    fee,
    source: {
      publicKey: keyPair.publicKey.raw,
      sequence,
      sign: (payload) => keyPair.sign(payload, SIGNATURE_CONTEXTS.mint),
    },
  }
}
