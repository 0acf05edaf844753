/** Which network a wallet is made for, and the notes that it began with: from a genesis file, else from a node. */
import { existsSync } from 'node:fs'
import { genesisHash } from '../../codec/genesis.ts'
import { dataDirectoryAt, requireInitialised } from '../../config/data-directory.ts'
import { readGenesisFile } from '../../config/read-genesis-file.ts'
import type { StatusView } from '../../rpc/http/api-ports.ts'
import type { Genesis } from '../../types/genesis.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { GenesisNote, ShieldedGenesis } from '../../types/shielded.ts'
import { type ApiOptions, askApi } from '../api-client.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { defaultDevnetFolder, defaultNode, devnetValidatorFolder } from '../node-location.ts'

export interface NetworkOptions extends ApiOptions {
  readonly genesis?: string
}

/** A network as a wallet begins on it. */
export interface WalletNetwork {
  readonly name: string
  readonly genesisHash: GenesisHash
  readonly genesisNotes: readonly GenesisNote[]
}

/** The genesis file that is meant: named, else of a data directory, else of the devnet on this machine. */
function genesisFile({ genesis, data, api }: NetworkOptions): string | undefined {
  if (genesis !== undefined) return genesis
  // Another machine's node may be on another network than what is set up here.
  const folder = data ?? (api === undefined ? defaultNode() : undefined)
  if (folder !== undefined) {
    const directory = dataDirectoryAt(folder)
    requireInitialised(directory)
    return directory.genesis
  }
  const devnet = dataDirectoryAt(devnetValidatorFolder(defaultDevnetFolder(), 0)).genesis
  return api === undefined && existsSync(devnet) ? devnet : undefined
}

/**
 * @throws CliError `E_WALLET_GENESIS` (65) when the network began with notes and only a node is named; GenesisError (65),
 *   DataDirectoryError (73), and as {@link askApi}
 */
export async function walletNetwork(options: NetworkOptions): Promise<WalletNetwork> {
  const file = genesisFile(options)
  if (file !== undefined) {
    const genesis: Genesis & { readonly shielded?: ShieldedGenesis } = readGenesisFile(file)
    return {
      name: genesis.network,
      genesisHash: genesisHash(genesis),
      genesisNotes: genesis.shielded?.notes ?? [],
    }
  }
  const status = (await askApi(options, '/v1/status')) as StatusView
  const { genesisNotes } = (await askApi(options, '/v1/shielded')) as { genesisNotes: number }
  if (genesisNotes === 0) {
    return { name: status.network, genesisHash: status.genesisHash as GenesisHash, genesisNotes: [] }
  }
  throw new CliError('E_WALLET_GENESIS', `the network ${status.network} began with ${genesisNotes} notes`, {
    why: 'a wallet keeps the tree of all notes, and a node does not tell those',
    fix: "name the network's genesis.json with --genesis, or a data directory that has it with --data",
    exitCode: EXIT.data,
  })
}
