/**
 * Makes the folders of a network on one machine: keys, the shared genesis and a configuration for each node, ready
 * for `start`. The whole appears at once, so that a network that was interrupted while being made is none.
 */

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { genesisHash } from '../../codec/genesis.ts'
import { createSafetyRecord } from '../../composition/node-storage.ts'
import { annotatedConfig } from '../../config/annotated.ts'
import {
  createDataDirectory,
  dataDirectoryAt,
  isInitialised,
  sealDataDirectory,
  writeFileWhole,
} from '../../config/data-directory.ts'
import { formatGenesis } from '../../config/genesis-file.ts'
import { isProcess } from '../../config/run-file.ts'
import { makeFolders } from '../../files/make-folders.ts'
import type { AssurancePolicy, ChainParameters } from '../../types/genesis.ts'
import type { ConsensusChoice } from '../../types/pow.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { createNodeKeys, type PublicKeys, readPublicKeys } from '../node-keys.ts'
import { exitCodeOf, onStopSignals, type StopSignal } from '../stop-signals.ts'
import { localShielded, newDemoWallet, writeDemoWallet } from './demo-wallet.ts'
import { makeGenesis } from './genesis.ts'
import { dialAddress, listenSettings, type NodePorts } from './node-ports.ts'

/** What to make. */
export interface NetworkPlan {
  /** Folder of the network. */
  readonly folder: string
  /** Name of the i-th node's folder in it. */
  readonly nodeName: (index: number) => string
  readonly network: string
  /** One for each validator. */
  readonly ports: readonly NodePorts[]
  /** In place of the defaults, for tests and benchmarks. */
  readonly parameters?: Partial<ChainParameters>
  /** Absent: BFT without a fallback. */
  readonly consensus?: ConsensusChoice
  /** Absent: everything is accepted as declared. */
  readonly assurance?: AssurancePolicy
  /** What the notes of genesis are worth, whose wallet is put into the folder. Absent: neither notes nor wallet. */
  readonly walletNotes?: readonly bigint[]
}

/** Folders of a network's nodes, in order. */
export function nodeFolders(plan: Pick<NetworkPlan, 'folder' | 'nodeName'>): string[] {
  const folders: string[] = []
  for (let i = 0; ; i++) {
    const folder = join(plan.folder, plan.nodeName(i))
    if (!isInitialised(dataDirectoryAt(folder))) return folders
    folders.push(folder)
  }
}

function requireEmpty(folder: string): void {
  if (!existsSync(folder)) return
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    throw cannotWrite(folder, error)
  }
  if (names.length === 0) return
  throw new CliError('E_FOLDER_NOT_EMPTY', `${folder} is not empty`, {
    fix: 'choose another folder, or remove this one if nothing in it is needed',
    exitCode: EXIT.dataDirectory,
  })
}

function cannotWrite(folder: string, error: unknown): CliError {
  return new CliError('E_FOLDER_WRITE', `no network can be made at ${folder}`, {
    why: (error as Error).message,
    fix: 'choose another folder, or correct its owner and mode',
    exitCode: EXIT.dataDirectory,
  })
}

/** Name of the folder in which this process makes a network, beside the one it shall become. */
const UNFINISHED = /^\.(\d+)-new-network$/

/** Removes what was left by processes that were ended while they made a network: there are keys in it. */
function removeUnfinished(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = UNFINISHED.exec(name)?.[1]
    if (pid === undefined || isProcess(Number(pid))) continue
    rmSync(join(parent, name), { recursive: true, force: true })
  }
}

/** Writes each node's config.toml: its own ports, and all others as bootstrap peers. */
export function writeConfigs(
  folders: readonly string[],
  ports: readonly NodePorts[],
  keys: readonly PublicKeys[],
): void {
  const dialable = ports.map((port, i) => dialAddress(port, keys[i]?.peerId ?? ''))
  for (const [i, folder] of folders.entries()) {
    const port = ports[i]
    if (port === undefined) continue
    const bootstrap = dialable.filter((_, other) => other !== i)
    const settings = new Map([['schema', 1], ...listenSettings(port), ['p2p.bootstrap', bootstrap]] as [
      string,
      unknown,
    ][])
    writeFileWhole(dataDirectoryAt(folder).config, annotatedConfig(settings))
  }
}

/**
 * @returns the folders of the nodes
 * @throws CliError `E_FOLDER_NOT_EMPTY` or `E_FOLDER_WRITE` (73), KeystoreError, DataDirectoryError
 */
export async function createNetwork(plan: NetworkPlan): Promise<string[]> {
  const folder = resolve(plan.folder)
  requireEmpty(folder)
  const building = join(dirname(folder), `.${process.pid}-new-network`)
  try {
    makeFolders(dirname(folder))
    removeUnfinished(dirname(folder))
    rmSync(building, { recursive: true, force: true })
    makeFolders(building)
  } catch (error) {
    throw cannotWrite(folder, error)
  }
  const remove = (): void => rmSync(building, { recursive: true, force: true })
  const end = (signal: StopSignal): void => {
    remove()
    process.exit(exitCodeOf(signal))
  }
  const forget = onStopSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], end, end)
  try {
    const names = plan.ports.map((_, i) => plan.nodeName(i))
    const built = names.map((name) => join(building, name))
    const directories = built.map((path) => createDataDirectory(path))
    const keys: PublicKeys[] = []
    for (const path of built) keys.push(await createNodeKeys(path, 'validator'))

    const wallet = plan.walletNotes === undefined ? null : newDemoWallet(plan.walletNotes)
    const genesis = makeGenesis(
      plan.network,
      Date.now(),
      keys,
      plan.parameters,
      plan.consensus,
      plan.assurance,
      localShielded(wallet),
    )
    const text = formatGenesis(genesis)
    writeConfigs(built, plan.ports, keys)
    const hash = genesisHash(genesis)
    for (const [i, directory] of directories.entries()) {
      writeFileWhole(directory.genesis, text)
      const id = keys[i]?.id
      // A key made a moment ago has signed nothing: here, and nowhere else, its record may begin by itself.
      if (id !== undefined) await createSafetyRecord(directory, id, hash)
      sealDataDirectory(directory, genesis.network, hash)
    }
    writeFileWhole(join(building, 'genesis.json'), text)
    if (wallet !== null) await writeDemoWallet(building, wallet, hash)
    renameSync(building, folder)
    return names.map((name) => join(folder, name))
  } finally {
    forget()
    remove()
  }
}

/** Gives existing nodes these ports (and each other's addresses accordingly). */
export async function moveNetwork(folders: readonly string[], ports: readonly NodePorts[]): Promise<void> {
  const keys: PublicKeys[] = []
  for (const folder of folders) keys.push(await readPublicKeys(folder))
  writeConfigs(folders, ports, keys)
}
